"""What the kernel's log says about processes killed for want of memory: pure text to values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# All that is before the last `task=` is names of groups, the rest a name that the app has chosen.
_VICTIM = re.compile(
    r"oom-kill:constraint=(?P<constraint>\w+),.*"
    r",task_memcg=(?P<group>/.*),task=(?P<name>.*),pid=(?P<pid>\d+),uid=\d+"
)
_KILL = re.compile(r"ut of memory: Killed process (?P<pid>\d+) .*anon-rss:(?P<kilobytes>\d+)kB")
_OWN_LIMIT = "CONSTRAINT_MEMCG"


@dataclass(frozen=True)
class OomKill:
    """One killed process."""

    group: str
    """The name of its memory cgroup, without the path to it."""
    process: str
    memory: int
    """Bytes that were its own."""
    own_limit: bool
    """Whether its group had reached its limit; else the host had no memory left."""


def oom_kills(messages: Iterable[str]) -> Iterator[OomKill]:
    """Each kill that the kernel's messages tell of completely, as soon as they do.

    Of more than ten kills in five seconds the kernel tells less; those are left out.
    """
    victim: re.Match[str] | None = None
    for message in messages:
        if found := _VICTIM.fullmatch(message):
            victim = found
        elif (kill := _KILL.search(message)) and victim and victim["pid"] == kill["pid"]:
            yield OomKill(
                group=victim["group"].rpartition("/")[2],
                process=victim["name"],
                memory=int(kill["kilobytes"]) * 1024,
                own_limit=victim["constraint"] == _OWN_LIMIT,
            )
            victim = None
