"""Ids of services."""

from __future__ import annotations

import re

from vr.bus.joining import new_id


def test_an_id_begins_with_the_index_if_there_is_one() -> None:
    assert re.fullmatch("[0-9a-f]{32}", new_id(None))
    assert re.fullmatch("0-[0-9a-f]{32}", new_id(0))
