"""The end of a proc's log, where a failure is explained if anywhere."""

from __future__ import annotations

from vr.hosts.connection import HostConnection
from vr.text.terminal import plain

_BYTES = 8000


def log_end(host: HostConnection, proc: str) -> str:
    """The end of the log of the proc of that name on `host`, for people: apps may write anything,
    which neither steers a terminal nor is refused by a database."""
    log = plain(host.tail(host.root.proc(proc).log, _BYTES).decode(errors="replace")).strip()
    return log or "(its log is empty)"
