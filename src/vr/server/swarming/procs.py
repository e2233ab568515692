"""What users do to single procs, at once and in the caller's process (api-v1.md, 5)."""

from __future__ import annotations

from typing import Any

from vr.server.models import Host, Release

ACTIONS = ("start", "stop", "restart", "delete")
TAIL_BYTES = 64 * 1024


def proc_action(host: Host, proc: str, action: str, *, user: Any) -> dict[str, Any]:
    """Do `action` (one of ACTIONS) to the proc named `proc`; returns its proc object after it.

    After `delete` that is `{"name", "deleted": True}`. Raises InvalidInput for another action,
    UnknownProc, HostUnreachable, or VelociraptorError with Supervisor's fault.
    """
    raise NotImplementedError


def log_tail(host: Host, proc: str, length: int = TAIL_BYTES) -> bytes:
    """The last `length` bytes of the proc's log.

    Raises UnknownProc or HostUnreachable.
    """
    raise NotImplementedError


def deploy_release(
    release: Release, *, host: Host, port: int, proc: str, config_name: str, user: Any
) -> str:
    """Queue a manual deploy of one proc, without tests and routing; returns the proc's name.

    `port` is 0 for a proc that doesn't listen. Raises InvalidInput for bad parts of a name or a
    port that is taken, CannotDispatch for a release whose build isn't done.
    """
    raise NotImplementedError
