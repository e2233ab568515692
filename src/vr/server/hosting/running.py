"""Doing what was asked of a host: one worker per job, every step told as it begins.

A job whose worker died begins anew: preparing and removing may be repeated.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from vr.errors import VelociraptorError
from vr.hosts.preparing import facts, layout, preparation
from vr.hosts.preparing.preparation import HostSetup
from vr.hosts.remote import ssh
from vr.hosts.remote.links import LINKS
from vr.hosts.remote.shell import Shell, shell
from vr.server import hosts
from vr.server.events.announcing import announce, proc_board
from vr.server.events.kinds import Kind
from vr.server.files import store
from vr.server.host_addresses import ROOT, address_of, server_key
from vr.server.jobs import leases
from vr.server.jobs.leases import Lease, LeaseLost
from vr.server.models import Host, HostJob, HostJobKind, HostJobStatus
from vr.server.models.host_job import OPEN
from vr.settings.tls import redis_address

log = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 20.0
_POLL_SECONDS = 0.2
_MOST_STEPS = 200


def run(job_id: int) -> None:
    """Do the job, unless it has ended or another worker is at it."""
    with leases.hold(HostJob, job_id, OPEN) as lease:
        if lease is None:
            return
        job = HostJob.objects.select_related("host").get(pk=job_id)
        try:
            _run(job, lease)
        except LeaseLost:
            log.warning("job %s on host %s was taken over", job_id, job.name)


class _Steps:
    """What the job has said so far; each step is in the database as it begins."""

    def __init__(self, job: HostJob, lease: Lease) -> None:
        self._job = job
        self._lease = lease

    def say(self, message: str) -> None:
        self._lease.check()
        self._job.steps = [*self._job.steps, [timezone.now().isoformat(), message]][-_MOST_STEPS:]
        self._lease.rows.update(steps=self._job.steps)


def _run(job: HostJob, lease: Lease) -> None:
    lease.rows.update(status=HostJobStatus.RUNNING)
    steps = _Steps(job, lease)
    try:
        if job.host is None:
            raise VelociraptorError(f"The host {job.name} has been removed meanwhile.")
        match job.kind:
            case HostJobKind.PREPARE:
                _prepare(job, job.host, steps.say)
            case HostJobKind.CHECK:
                _check(job.host, steps.say)
            case HostJobKind.REMOVE:
                _remove(job.host, steps.say)
    except LeaseLost:
        raise
    except VelociraptorError as error:
        _close(job, lease, HostJobStatus.FAILED, str(error), error.details)
    except Exception as error:
        log.exception("job %s on host %s", job.pk, job.name)
        _close(job, lease, HostJobStatus.FAILED, f"A bug in Velociraptor: {error!r}", "")
    else:
        _close(job, lease, HostJobStatus.SUCCEEDED, "", "")


def _close(job: HostJob, lease: Lease, status: HostJobStatus, error: str, output: str) -> None:
    lease.check()
    with transaction.atomic():
        if not lease.rows.update(
            status=status, error=error, output=output, ended=timezone.now(), passwords=""
        ):
            raise LeaseLost
        if status == HostJobStatus.FAILED:
            kind, what = Kind.HOST_FAILED, f"{job.kind} failed"
        elif job.kind == HostJobKind.PREPARE:
            kind, what = Kind.HOST_READY, "is ready"
        elif job.kind == HostJobKind.REMOVE:
            kind, what = Kind.HOST_REMOVED, "is removed"
        else:
            return
        announce(f"host {job.name}: {what}", f"{error}\n\n{output}".strip(), kind=kind)


def _prepare(job: HostJob, host: Host, say: Callable[[str], object]) -> None:
    _expect_another_machine(host)
    setup = _setup(host)
    told: dict[str, Any] = json.loads(job.passwords) if job.passwords else {}
    _pin(host, told, say)
    LINKS.forget(address_of(host))
    user = host.ssh_user or ROOT
    if told.get("password"):
        say(f"signing in as {user} with the password, this once")
        sudo = told.get("sudo_password") or told["password"]
        with _shell(host, password=told["password"], sudo=sudo) as opened:
            preparation.trust_key(opened, server_key().public, user)
    say(f"signing in as {user} with the server's key")
    before = _seen(host)
    with _shell(host, sudo=told.get("sudo_password") or None) as opened:
        if told.get("sudo_password") and not told.get("password"):
            preparation.trust_key(opened, server_key().public, user)
        release = preparation.prepare(opened, setup, say)
    say("waiting for what its publisher tells")
    _await_heartbeat(host, before)
    values: dict[str, Any] = {"release": release}
    if job.activates:
        values["active"] = True
    Host.objects.filter(pk=host.pk).update(**values)
    LINKS.forget(address_of(host))
    say(f"{host.name} is ready, with {release}")


def _setup(host: Host) -> HostSetup:
    """What the host is told; raises VelociraptorError if it could not reach the server."""
    missing = []
    if settings.HOSTS_REDIS_URL.startswith("unix:"):
        missing.append("its Redis (VR_HOSTS_REDIS_URL)")
    if not settings.FILES_BASE_URL and not store.in_bucket():
        missing.append("the builds that it fetches (VR_FILES_BASE_URL)")
    if missing:
        raise VelociraptorError(
            "This server doesn't say where other machines reach "
            f"{' and '.join(missing)}. Nothing was changed there.",
            hint="With `vr up`: VR_HOSTS_ADDRESS=<this machine's address> VR_BIND=0.0.0.0 vr up. "
            "See docs/hosts.md.",
        )
    authority: Path | None = settings.TLS_AUTHORITY
    url = redis_address(settings.HOSTS_REDIS_URL, layout.REDIS_AUTHORITY if authority else None)
    return HostSetup(
        host.name,
        url,
        settings.VR_HOME / "wheels",
        redis_authority=authority.read_text() if authority else "",
    )


def _pin(host: Host, told: dict[str, Any], say: Callable[[str], object]) -> None:
    """Look at the host's key, and keep it if none is pinned; never another one unasked."""
    if host.host_key and not told.get("new_key"):
        say(f"its SSH host key must be {ssh.fingerprint(host.host_key)}")
        return
    address = address_of(host)
    shown = LINKS.run(address, ssh.host_key(address), 0)
    fingerprint = ssh.fingerprint(shown)
    wanted = str(told.get("fingerprint") or "")
    if wanted and wanted != fingerprint:
        raise VelociraptorError(
            f"{host.name} shows the SSH host key {fingerprint}, expected {wanted}. Nothing was "
            "sent.",
            hint="Look on the host itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        )
    LINKS.forget(address)
    host.host_key = shown
    Host.objects.filter(pk=host.pk).update(host_key=shown)
    say(f"pinned its SSH host key {fingerprint}")


def _seen(host: Host) -> float | None:
    """When the host spoke last, by its own clock."""
    try:
        return proc_board().read([host.name])[host.name].seen
    except redis.RedisError as error:
        raise VelociraptorError(f"The server's Redis does not answer: {error}.") from None


def _await_heartbeat(host: Host, before: float | None) -> None:
    """Wait until it speaks again; its clock may be another than ours."""
    deadline = time.monotonic() + _HEARTBEAT_SECONDS
    while time.monotonic() < deadline:
        if _seen(host) != before:
            return
        time.sleep(_POLL_SECONDS)
    raise VelociraptorError(
        f"Nothing was heard of {host.name} within {_HEARTBEAT_SECONDS:.0f} s, though Supervisor "
        "runs there.",
        hint=(
            f"Look whether it reaches {_without_password(settings.HOSTS_REDIS_URL)}, and into "
            "/opt/velociraptor/log/proc_publisher.log there."
        ),
    )


def _check(host: Host, say: Callable[[str], object]) -> None:
    _expect_pinned(host)
    with _shell(host) as opened:
        found = facts.parse(opened.must("looking at it", facts.LOOK))
        say(f"{found.system}, Python {found.minor}, {found.machine}")
        facts.check(host.name, found)
        say(f"software: {found.release or 'none'}")
        preparation.doctor(opened, host.name, say)
    seen = _seen(host)
    age = "never" if seen is None else f"{max(0, time.time() - seen):.0f} s ago"
    say(f"last heard of: {age}")


def _remove(host: Host, say: Callable[[str], object]) -> None:
    if host.is_over_ssh:
        with _shell(host) as opened:
            preparation.remove(opened, say)
        LINKS.forget(address_of(host))
    say("forgetting the host")
    host.delete()


def _shell(
    host: Host, *, password: str | None = None, sudo: str | None = None
) -> AbstractContextManager[Shell]:
    return shell(address_of(host), password=password, sudo=sudo)


def _expect_another_machine(host: Host) -> None:
    if hosts.this_machine().is_called(host.name):
        raise VelociraptorError(
            "This is the server's own machine, which it doesn't reach by SSH.",
            hint="`vr status` and `vrun doctor` tell how it is.",
        )


def _expect_pinned(host: Host) -> None:
    _expect_another_machine(host)
    if not host.is_over_ssh:
        raise VelociraptorError(
            f"{host.name} has not been prepared.", hint=f"Prepare it: vr hosts add {host.name}"
        )


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
