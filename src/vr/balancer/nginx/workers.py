"""Which worker processes of an nginx take connections, and which only finish what they have.

`nginx -s reload` returns before the old workers stop accepting: for about a tenth of a second
they still take connections for nodes that are gone from the configuration
(docs/reference/balancer.md#nginx). What they do is in their process titles.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vr.hosts.connection import HostConnection

_POLL_SECONDS = 0.01
_ENDING = "is shutting down"


@dataclass(frozen=True)
class Workers:
    accepting: frozenset[int]
    ending: frozenset[int]


def observe(host: HostConnection, pid_file: Path) -> Workers | None:
    """The workers of the nginx whose master wrote `pid_file`; None if there is none."""
    pid = _text(host, pid_file).strip()
    if not pid.isdigit():
        return None
    children = host.read(Path(f"/proc/{pid}/task/{pid}/children"))
    if children is None:
        return None
    titles = {
        int(child): _text(host, Path(f"/proc/{int(child)}/cmdline")).replace("\0", " ")
        for child in children.split()
    }
    workers = {pid: title for pid, title in titles.items() if "worker process" in title}
    ending = frozenset(pid for pid, title in workers.items() if _ENDING in title)
    return Workers(frozenset(workers) - ending, ending)


def _text(host: HostConnection, path: Path) -> str:
    return (host.read(path) or b"").decode(errors="replace")


def wait_taken_over(host: HostConnection, pid_file: Path, before: Workers, timeout: float) -> bool:
    """Wait until none of the workers that accepted `before` accepts, and new ones do."""

    def taken_over() -> bool:
        now = observe(host, pid_file)
        return now is not None and bool(now.accepting) and not (now.accepting & before.accepting)

    return _wait(taken_over, timeout)


def wait_ended(host: HostConnection, pid_file: Path, timeout: float) -> bool:
    """Wait until no worker has old connections to finish."""

    def ended() -> bool:
        now = observe(host, pid_file)
        return now is None or not now.ending

    return _wait(ended, timeout)


def _wait(condition: Callable[[], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
