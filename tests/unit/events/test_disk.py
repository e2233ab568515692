"""Procs that their hosts stopped as they wrote too much."""

from __future__ import annotations

import pytest

from vr.events.disk import OverDisk, over_disk_of, with_over_disk
from vr.events.procs import proc_object

NAME = "shop-v1-prod-0123abcd-web-5000"
OVER = OverDisk(used=5 << 30, limit=4 << 30, at=1.7e9)


def shown(statename: str) -> tuple[str, str]:
    info = {"name": NAME, "statename": statename, "description": "Nov 27 09:00 AM"}
    found = proc_object("one", with_over_disk(info, OVER))
    return found["statename"], found["description"]


def test_it_goes_with_what_is_pushed() -> None:
    assert over_disk_of(with_over_disk({"name": NAME}, OVER)) == OVER
    assert over_disk_of(with_over_disk({"name": NAME}, None)) is None


@pytest.mark.parametrize("statename", ["STOPPING", "STOPPED"])
def test_one_that_is_stopped_says_why(statename: str) -> None:
    told = "stopped by its host: it had written 5G, its limit is 4G"
    assert shown(statename) == ("OVER_DISK", told)


def test_one_that_runs_is_running() -> None:
    assert shown("RUNNING") == ("RUNNING", "Nov 27 09:00 AM")
