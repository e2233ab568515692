"""What users do to single procs, at once and in the caller's process."""

from __future__ import annotations

from typing import Any

from vr.errors import InvalidInput, VelociraptorError
from vr.events.procs import proc_object
from vr.hosts import deployment
from vr.hosts.connection import HostConnection
from vr.hosts.proc_conf import STOP_TIMEOUT
from vr.hosts.stopping import stop
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.hosts import connect
from vr.server.models import Host
from vr.server.procs import ports, routed
from vr.specs.names import ProcName

ACTIONS = {
    "start": Kind.USER_STARTED,
    "stop": Kind.USER_STOPPED,
    "restart": Kind.USER_RESTARTED,
    "delete": Kind.USER_DESTROYED,
}
"""What can be done to a proc, and the event that tells of it."""
TAIL_BYTES = 64 * 1024
_PATIENCE = 10


class UnknownProc(VelociraptorError):
    """The host knows no proc of that name."""


def proc_action(host: Host, proc: str, action: str, *, user: Any) -> dict[str, Any]:
    """Do `action` (one of ACTIONS) to the proc named `proc`; returns its proc object after it.

    After `delete` that is `{"name", "deleted": True}`. Raises InvalidInput for another action,
    UnknownProc, HostUnreachable, or VelociraptorError with Supervisor's fault.
    """
    if action not in ACTIONS:
        raise InvalidInput("proc", [f"action: is {action!r}, expected one of {', '.join(ACTIONS)}"])
    connection = connect(host.name)
    info = connection.supervisor.get(proc)
    if action == "delete":
        return _delete(connection, host, proc, user)
    if info is None:
        raise _unknown(host, proc)
    try:
        if action in {"stop", "restart"}:
            left = routed.take_out(host, proc)
            stop(connection, [proc], timeout=STOP_TIMEOUT + _PATIENCE)
        if action in {"start", "restart"}:
            connection.supervisor.start(proc)
        if action == "restart" and left:
            routed.put_back(connection, proc, left)
    except VelociraptorError:
        user_did(user, Kind.USER_FAILED, f"to {action} {proc} on {host.name}")
        raise
    user_did(user, ACTIONS[action], f"{proc} on {host.name}")
    return proc_object(host.name, connection.supervisor.get(proc) or info)


def _delete(connection: HostConnection, host: Host, proc: str, user: Any) -> dict[str, Any]:
    if ProcName.parse(proc) is None:
        raise InvalidInput("proc", [f"{proc!r} is not one of Velociraptor's and stays"])
    routed.take_out(host, proc)
    deployment.retire(connection, [proc])
    ports.give_back(host.name, [proc])
    user_did(user, ACTIONS["delete"], f"{proc} on {host.name}")
    return {"name": proc, "deleted": True}


def log_tail(host: Host, proc: str, length: int = TAIL_BYTES) -> bytes:
    """The last `length` bytes of the proc's log.

    Raises UnknownProc or HostUnreachable.
    """
    connection = connect(host.name)
    path = connection.supervisor.log_file(proc)
    if path is None:
        raise _unknown(host, proc)
    return connection.tail(path, length)


def _unknown(host: Host, proc: str) -> UnknownProc:
    return UnknownProc(f"{host.name} has no proc named {proc!r}.", hint="`vr procs` lists them.")
