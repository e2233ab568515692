"""The end of a proc's log, where a failure is explained if anywhere."""

from __future__ import annotations

from vr.hosts.connection import HostConnection

_BYTES = 8000


def log_end(host: HostConnection, proc: str) -> str:
    """The end of the log of the proc of that name on `host`, for people."""
    log = host.tail(host.root.proc(proc).log, _BYTES).decode(errors="replace").strip()
    return log or "(its log is empty)"
