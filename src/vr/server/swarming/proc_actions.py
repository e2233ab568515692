"""What users do to single procs, at once and in the caller's process."""

from __future__ import annotations

from typing import Any

from vr.errors import InvalidInput, VelociraptorError
from vr.events.procs import proc_object
from vr.hosts import deployment
from vr.hosts.connection import HostConnection
from vr.hosts.proc_conf import STOP_TIMEOUT
from vr.hosts.readiness import spawn_of
from vr.hosts.stopping import stop
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.hosts import connect
from vr.server.models import Host, Swarm
from vr.server.procs import health, ownership
from vr.server.swarming import routed
from vr.server.swarming.asking import dispatch_with_procs
from vr.server.swarming.pools import Pool
from vr.server.swarming.problems import SwarmBusy
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

    A routed proc leaves its pool before it is stopped; one that runs what its swarm serves is
    routed, again, when its uptests have passed. After `delete` the result is `{"name", "deleted":
    True}`. Raises InvalidInput for another action, UnknownProc, HostUnreachable, SwarmBusy while a
    dispatch deals with the swarm's procs, or VelociraptorError for what went wrong there.
    """
    if action not in ACTIONS:
        raise InvalidInput("proc", [f"action: is {action!r}, expected one of {', '.join(ACTIONS)}"])
    connection = connect(host.name)
    info = connection.supervisor.get(proc)
    name = ProcName.parse(proc)
    if action == "delete" and name is None:
        raise InvalidInput("proc", [f"{proc!r} is not one of Velociraptor's and stays"])
    if action != "delete" and info is None:
        raise unknown(host, proc)
    swarm = _swarm_of(host, proc)
    if swarm is not None and (busy := dispatch_with_procs(swarm)):
        raise SwarmBusy(busy)
    # First: whoever mends what went down must not bring back what is being stopped.
    note = health.note_stop if action in {"stop", "delete"} else health.note_start
    note(host.name, proc)
    try:
        _DO[action](connection, proc, swarm, name)
    except VelociraptorError:
        user_did(user, Kind.USER_FAILED, f"to {action} {proc} on {host.name}")
        raise
    user_did(user, ACTIONS[action], f"{proc} on {host.name}")
    if info is None or action == "delete":
        return {"name": proc, "deleted": True}
    return proc_object(host.name, connection.supervisor.get(proc) or info)


def _swarm_of(host: Host, proc: str) -> Swarm | None:
    owner = ownership.read_claims(host.name).owner(host.name, proc)
    if isinstance(owner, ownership.Unowned):
        return None
    return Swarm.objects.select_related("app", "release").filter(pk=owner).first()


def _start(
    connection: HostConnection, proc: str, swarm: Swarm | None, name: ProcName | None
) -> None:
    connection.supervisor.start(proc)
    if swarm and name:
        _put_back(swarm, connection, name, routed.pools_for(swarm, name))


def _stop(
    connection: HostConnection, proc: str, swarm: Swarm | None, name: ProcName | None
) -> None:
    if swarm and name:
        routed.take_out(swarm, connection.name, name.port, last_too=True)
    stop(connection, [proc], timeout=STOP_TIMEOUT + _PATIENCE)


def _restart(
    connection: HostConnection, proc: str, swarm: Swarm | None, name: ProcName | None
) -> None:
    left: list[Pool] = []
    if swarm and name:
        # Nobody else could serve meanwhile where there is only one.
        is_alone = swarm.port_leases.count() <= 1
        left = routed.take_out(swarm, connection.name, name.port, last_too=is_alone)
    stop(connection, [proc], timeout=STOP_TIMEOUT + _PATIENCE)
    connection.supervisor.start(proc)
    if swarm and name:
        _put_back(swarm, connection, name, left)


def _put_back(swarm: Swarm, connection: HostConnection, name: ProcName, to: list[Pool]) -> None:
    if not to:
        return
    info = connection.supervisor.get(str(name))
    routed.put_back(swarm, connection, name, to)
    if info is not None:
        health.note_passed(connection.name, str(name), spawn_of(info))


def _delete(
    connection: HostConnection, proc: str, swarm: Swarm | None, name: ProcName | None
) -> None:
    if swarm and name:
        routed.take_out(swarm, connection.name, name.port, last_too=True)
    deployment.retire(connection, [proc])
    routed.give_back(connection.name, [proc])


_DO = {"start": _start, "stop": _stop, "restart": _restart, "delete": _delete}


def log_tail(host: Host, proc: str, length: int = TAIL_BYTES) -> bytes:
    """The last `length` bytes of the proc's log.

    Raises UnknownProc or HostUnreachable.
    """
    connection = connect(host.name)
    path = connection.supervisor.log_file(proc)
    if path is None:
        raise unknown(host, proc)
    return connection.tail(path, length)


def unknown(host: Host, proc: str) -> UnknownProc:
    """The error that says that `host` has no proc of that name."""
    return UnknownProc(f"{host.name} has no proc named {proc!r}.", hint="`vr procs` lists them.")
