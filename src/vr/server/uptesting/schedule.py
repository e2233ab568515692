"""Which procs are to be uptested now, and how many of them at once. Pure.

Every proc has a moment of its own in each interval, told by a hash of its name: so neither hosts
nor workers get all of them at once, and nobody has to remember whose turn it is.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# One that left its pool for its uptests is tried again so soon.
AGAIN_SECONDS = 60.0
AT_ONCE_ON_HOST = 1
AT_ONCE = 16


@dataclass(frozen=True)
class Candidate:
    """A proc that serves; `id` is of its port's lease. `tested`: when it was tested last, in unix
    time; its dispatch's uptests count. `is_unrouted`: it left its pools, as they failed."""

    id: int
    host: str
    proc: str
    tested: float
    is_unrouted: bool = False


@dataclass(frozen=True)
class Job:
    """Uptests of a proc that wait to be run."""

    id: int
    host: str


def due(candidates: Iterable[Candidate], now: float, every: float) -> list[Candidate]:
    """Those whose moment has passed since they were tested; `every` is in seconds (0: none but
    those that left their pools)."""
    return [one for one in candidates if _is_due(one, now, every)]


def last_moment(host: str, proc: str, now: float, every: float) -> float:
    """When the proc was to be tested last, at `now` or before, in unix time."""
    digest = hashlib.blake2b(f"{host}\0{proc}".encode(), digest_size=8).digest()
    phase = int.from_bytes(digest) / 2**64 * every
    return now - (now - phase) % every


def next_jobs(waiting: Sequence[Job], under_way: Counter[str]) -> list[Job]:
    """Those of `waiting` (first come, first served) that may begin, with so many on each host
    `under_way`."""
    busy = Counter(under_way)
    chosen: list[Job] = []
    for job in waiting:
        if busy.total() >= AT_ONCE:
            break
        if busy[job.host] < AT_ONCE_ON_HOST:
            busy[job.host] += 1
            chosen.append(job)
    return chosen


def _is_due(one: Candidate, now: float, every: float) -> bool:
    if one.is_unrouted and now - one.tested >= AGAIN_SECONDS:
        return True
    return every > 0 and one.tested < last_moment(one.host, one.proc, now, every)
