"""What a proc's log is told of a kill for want of memory."""

from __future__ import annotations

from vr.agent.oom_watch import report
from vr.container.oom_log import OomKill

KILL = OomKill("lxc.payload.shop-v1-prod--web-5000", "worker", 60 << 20, True)


def test_the_line_says_when_who_and_which_limit() -> None:
    assert report(KILL, 64 << 20, "2026-11-20 11:30:00") == (
        "vrun: out of memory at 2026-11-20 11:30:00: the kernel killed worker, which had 60M, "
        "of shop-v1-prod--web-5000, which may use 64M.\n"
    )


def test_a_host_without_memory_is_not_blamed_on_a_limit() -> None:
    kill = OomKill(KILL.group, KILL.process, KILL.memory, own_limit=False)
    assert report(kill, 64 << 20, "now").endswith(", as the host has no memory left.\n")
