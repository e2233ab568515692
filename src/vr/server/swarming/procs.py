"""What users do to single procs, at once and in the caller's process."""

from __future__ import annotations

import logging
from typing import Any

from django.db import IntegrityError, transaction

from vr.errors import InvalidInput, VelociraptorError
from vr.events.procs import proc_object
from vr.hosts import deployment
from vr.hosts.connection import HostConnection
from vr.hosts.proc_conf import STOP_TIMEOUT
from vr.hosts.stopping import stop
from vr.server.builds.choosing import check_proc_name
from vr.server.builds.problems import CannotDispatch
from vr.server.events.announcing import announce, user_did
from vr.server.hosts import connect
from vr.server.jobs import wake
from vr.server.models import Host, PortLease, Release
from vr.server.swarming import tasks
from vr.server.swarming.problems import UnknownProc
from vr.server.swarming.proc_yaml import proc_file
from vr.specs.names import ProcName

log = logging.getLogger(__name__)

ACTIONS = ("start", "stop", "restart", "delete")
TAIL_BYTES = 64 * 1024
_LOWEST_PORT = 1024
_PATIENCE = 10


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
            stop(connection, [proc], timeout=STOP_TIMEOUT + _PATIENCE)
        if action in {"start", "restart"}:
            connection.supervisor.start(proc)
    except VelociraptorError:
        user_did(user, "failed", f"to {action} {proc} on {host.name}")
        raise
    user_did(user, action, f"{proc} on {host.name}")
    return proc_object(host.name, connection.supervisor.get(proc) or info)


def _delete(connection: HostConnection, host: Host, proc: str, user: Any) -> dict[str, Any]:
    if ProcName.parse(proc) is None:
        raise InvalidInput("proc", [f"{proc!r} is not one of Velociraptor's and stays"])
    deployment.retire(connection, [proc])
    PortLease.objects.filter(host=host, proc=proc).delete()
    user_did(user, "destroy", f"{proc} on {host.name}")
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


def deploy_release(
    release: Release, *, host: Host, port: int, proc: str, config_name: str, user: Any
) -> str:
    """Queue a manual deploy of one proc, without tests and routing; returns the proc's name.

    `port` is 0 for a proc that doesn't listen. Raises InvalidInput for bad parts of a name or a
    port that is taken, CannotDispatch for a release whose build isn't done.
    """
    build = release.build
    if not build.is_usable:
        raise CannotDispatch(f"The build of {release} is {build.status}, so it can't be deployed.")
    where = f"deploy of {release}"
    if (
        isinstance(port, bool)
        or not isinstance(port, int)
        or not (port == 0 or _LOWEST_PORT <= port <= 65535)
    ):
        raise InvalidInput(where, [f"port: is {port!r}, expected 0 or {_LOWEST_PORT} to 65535"])
    check_proc_name(build, proc)
    name = ProcName.checked(
        build.app.name, build.tag, config_name, release.hash, proc, port, where=where
    )
    try:
        with transaction.atomic():
            if port:
                PortLease.objects.create(host=host, port=port, proc=str(name))
            user_did(user, "deploy", f"{name} on {host.name}")
            wake.after_commit(tasks.deploy_proc, release.pk, host.pk, str(name))
    except IntegrityError:
        owner = PortLease.objects.filter(host=host, port=port).first()
        raise InvalidInput(
            where, [f"port: {port} of {host.name} belongs to {owner.proc if owner else 'another'}"]
        ) from None
    return str(name)


def deploy_now(release_id: int, host_id: int, proc: str) -> None:
    """Carry out a manual deploy; a failure is announced, and what it made is removed."""
    release = Release.objects.select_related("build__app", "build__image").get(pk=release_id)
    host = Host.objects.get(pk=host_id)
    name = ProcName.parse(proc)
    assert name is not None
    announce(f"deploying {proc}", f"{proc} to {host.name}", tags=["deploy"])
    try:
        deployment.deploy(connect(host.name), [proc_file(release, name, host.name)])
    except VelociraptorError as error:
        announce(f"{proc} failed", f"{error}\n{error.details}", tags=["deploy", "failed"])
        deployment.retire(connect(host.name), [proc])
        PortLease.objects.filter(host=host, proc=proc).delete()


def _unknown(host: Host, proc: str) -> UnknownProc:
    return UnknownProc(f"{host.name} has no proc named {proc!r}.", hint="`vr procs` lists them.")
