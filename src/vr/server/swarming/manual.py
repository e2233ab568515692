"""Manual deploys: one proc of a release on one host, without tests and routing."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from vr.errors import InvalidInput, VelociraptorError
from vr.hosts import deployment
from vr.server.access.volumes import check_volumes
from vr.server.events.announcing import announce, user_did
from vr.server.events.kinds import Kind
from vr.server.hosts import connect
from vr.server.jobs import wake
from vr.server.models import Host, Release
from vr.server.procs import ports
from vr.server.procs.proc_yaml import proc_file
from vr.server.swarming.problems import CannotDispatch
from vr.server.swarming.releases import check_proc_name
from vr.specs.names import ProcName

_LOWEST_PORT = 1024


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
    check_volumes(release, user)
    name = ProcName.checked(
        build.app.name, build.tag, config_name, release.hash, proc, port, where=where
    )
    try:
        with transaction.atomic():
            if port:
                ports.lease_alone(host, port, str(name))
            user_did(user, Kind.USER_DEPLOYED, f"{name} on {host.name}")
            wake.after_commit(wake.DEPLOY_PROC, release.pk, host.pk, str(name))
    except ports.PortTaken as taken:
        raise InvalidInput(where, [f"port: {taken}"]) from None
    return str(name)


def deploy_now(release_id: int, host_id: int, proc: str) -> None:
    """Carry out a manual deploy; a failure is announced, and what it made is removed."""
    release = Release.objects.select_related("build__app", "build__image").get(pk=release_id)
    host = Host.objects.get(pk=host_id)
    name = ProcName.parse(proc)
    assert name is not None
    announce(f"deploying {proc}", f"{proc} to {host.name}", kind=Kind.PROCS_DEPLOYING)
    try:
        deployment.deploy(connect(host.name), [proc_file(release, name, host.name)])
    except VelociraptorError as error:
        announce(f"{proc} failed", f"{error}\n{error.details}", kind=Kind.DEPLOY_FAILED)
        deployment.retire(connect(host.name), [proc])
        ports.give_back(host.name, [proc])
