"""How far a proc is, from what its Supervisor says and whether its port answers."""

from __future__ import annotations

from enum import Enum

from supervisor.states import ProcessStates

from vr.hosts.connection import HostConnection
from vr.hosts.supervisor import ProcessInfo


class ProcState(Enum):
    ABSENT = "absent"  # its host does not run it yet, or no longer
    STARTING = "starting"
    READY = "ready"
    DEAD = "dead"  # ended, gave up or was stopped


def spawn_of(info: ProcessInfo) -> str:
    """Tells one start of a proc from the next; empty while it has no process. Pure."""
    return f"{info['pid']}@{info['start']}" if info["pid"] else ""


def has_restarted(spawn: str, info: ProcessInfo) -> bool:
    """Is what runs now another process than the one that was noted as `spawn`, if any was?"""
    return bool(spawn) and spawn_of(info) not in {"", spawn}


def is_running(info: ProcessInfo | None) -> bool:
    """Has it stayed up for long enough to be called RUNNING by its Supervisor?"""
    return info is not None and info["state"] == ProcessStates.RUNNING


def state_of(info: ProcessInfo, host: HostConnection, port: int, *, listens: bool) -> ProcState:
    """How far a proc is that Supervisor knows.

    One that `listens` is ready when its port accepts, whatever Supervisor's startsecs say;
    others when Supervisor calls them RUNNING.
    """
    state = info["state"]
    if state == ProcessStates.STOPPED and not info["start"]:
        return ProcState.STARTING  # Supervisor has it, and starts it any moment
    if state not in {ProcessStates.STARTING, ProcessStates.RUNNING}:
        return ProcState.DEAD
    ready = host.accepts(port) if listens else state == ProcessStates.RUNNING
    return ProcState.READY if ready else ProcState.STARTING
