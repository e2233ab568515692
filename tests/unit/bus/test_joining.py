"""Ids of services, and addresses."""

from __future__ import annotations

import re

from vr.bus.joining import new_id
from vr.bus.own_address import own_address


def test_an_id_begins_with_the_index_if_there_is_one() -> None:
    assert re.fullmatch("[0-9a-f]{32}", new_id(None))
    assert re.fullmatch("0-[0-9a-f]{32}", new_id(0))


def test_without_a_route_the_own_address_is_loopback() -> None:
    assert own_address("") == own_address("no address") == own_address("127.0.0.1") == "127.0.0.1"
