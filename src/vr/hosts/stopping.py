"""Stopping procs for sure: Supervisor has states in which a stop does nothing, or is lost."""

from __future__ import annotations

import time
from collections.abc import Iterable

from supervisor.states import ProcessStates

from vr.errors import VelociraptorError
from vr.hosts.connection import HostConnection
from vr.hosts.supervisor import ProcessInfo

_POLL_SECONDS = 0.02
# A signal within milliseconds of a start reaches nobody, so young procs are told again.
_REPEAT_SECONDS = 0.5
_YOUNG_SECONDS = 5.0


def stop(host: HostConnection, names: Iterable[str], *, timeout: float) -> None:
    """Stop procs side by side and wait until they stay down; unknown ones are fine.

    Raises VelociraptorError naming those that still run after `timeout` seconds.
    """
    left = set(names)
    told: dict[str, float] = {}
    deadline = time.monotonic() + timeout
    while True:
        infos = host.supervisor.by_name()
        left = {name for name in left if name in infos and not stays_down(infos[name])}
        if not left:
            return
        now = time.monotonic()
        if now > deadline:
            raise VelociraptorError(
                f"Still running on {host.name} {timeout:.0f} s after being told to stop: "
                f"{', '.join(sorted(left))}."
            )
        for name in left:
            if now - told.get(name, -_REPEAT_SECONDS) >= _REPEAT_SECONDS:
                _tell(host, infos[name], again=name in told)
                told[name] = now
        time.sleep(_POLL_SECONDS)


def stays_down(info: ProcessInfo) -> bool:
    """Will the proc not be started again by Supervisor? Pure.

    EXITED and BACKOFF are between two starts, and so is STOPPED before the first one.
    """
    if info["state"] == ProcessStates.STOPPED:
        return bool(info["start"])
    return info["state"] in {ProcessStates.FATAL, ProcessStates.UNKNOWN}


def _tell(host: HostConnection, info: ProcessInfo, *, again: bool) -> None:
    name = str(info["name"])
    if info["state"] != ProcessStates.STOPPING:
        host.supervisor.stop(name)
    elif again and info["now"] - info["start"] < _YOUNG_SECONDS:
        host.supervisor.signal(name, "TERM")
