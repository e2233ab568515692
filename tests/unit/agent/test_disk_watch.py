"""How often hosts look at procs' disk, and what a proc's log is told."""

from __future__ import annotations

from vr.agent.disk_watch import pause_after, report
from vr.events.disk import OverDisk


def test_looks_take_a_twentieth_of_the_time_at_most_and_come_once_a_minute_at_least() -> None:
    assert pause_after(0.001) == 5
    assert pause_after(0.5) == 10
    assert pause_after(30) == 60


def test_the_line_says_how_much_it_was_and_may_be() -> None:
    over = OverDisk(used=5 << 30, limit=4 << 30, at=1.0)
    assert report("shop-v1-prod--web-5000", over, "2026-11-20 11:30:00") == (
        "vrun: out of disk at 2026-11-20 11:30:00: shop-v1-prod--web-5000 has written 5G outside "
        "its volumes and may write 4G, so it is stopped.\n"
    )
