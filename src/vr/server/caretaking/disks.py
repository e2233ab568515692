"""Telling of disks: of procs that their hosts stopped as they wrote too much, and of hosts whose
own disk is nearly full, which get no new procs. Once each when it begins; of hosts also when it
ends."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from vr.errors import VelociraptorError
from vr.events.disk import HostDisk
from vr.events.procs import OVER_DISK, HostState, Proc
from vr.server.caretaking.looking import Kept
from vr.server.events.announcing import announce
from vr.server.events.kinds import Kind
from vr.server.models import Host, PortLease, ProcHealth, Told
from vr.server.procs import health
from vr.server.swarming import routed
from vr.specs.names import ProcName
from vr.specs.sizes import show_size

log = logging.getLogger(__name__)

# A host that is just above the line would be told of again and again.
_MARGIN = 1.25


def tell_of_procs(kept: Iterable[Kept], states: Mapping[str, HostState]) -> None:
    """Announce procs that were stopped since the last round, as their hosts pushed it, and take
    them out of their pools."""
    procs = {(host, proc["name"]): proc for host, state in states.items() for proc in state.procs}
    for one in kept:
        proc = procs.get((one.host, one.wanted.key.proc))
        # A dispatch tells of its procs itself.
        if proc is None or one.wanted.is_busy:
            continue
        if proc["statename"] == OVER_DISK and one.told != Told.DISK:
            _tell_stopped(one, proc)
        elif proc["statename"] == "RUNNING" and one.told == Told.DISK:
            _note(one, Told.NOTHING)


def tell_of_hosts(states: Mapping[str, HostState]) -> None:
    """Announce hosts whose disk has become nearly full since the last round, and those that have
    room again. Of one that doesn't say, nothing changes."""
    rows = Host.objects.filter(name__in=states)
    for name, since in rows.values_list("name", "disk_full_since"):
        disk = states[name].disk
        if disk is None:
            continue
        if since is None and disk.free < settings.FREE_DISK:
            _tell_full(name, disk)
        elif since is not None and disk.free >= settings.FREE_DISK * _MARGIN:
            _tell_room(name, since, disk)


def _tell_stopped(one: Kept, proc: Proc) -> None:
    lease = PortLease.objects.select_related("swarm__app", "host").filter(pk=one.lease_id).first()
    name = ProcName.parse(one.wanted.key.proc)
    if lease is None or lease.swarm is None or name is None:
        return
    with transaction.atomic():
        if not _note(one, Told.DISK):
            return
        announce(
            f"{lease.swarm.name}: {name.proc} wrote too much and was stopped",
            f"{name} on {one.host}: {proc['description']}. It stays stopped, as it would fill the "
            "disk again, and what it wrote goes with it. Have the app write to a volume, or less, "
            "or give the swarm a larger disk_limit; then swarm it again.",
            kind=Kind.PROC_OVER_DISK,
            resource_uri=f"/api/v1/swarms/{lease.swarm.pk}/",
        )
    try:
        routed.step_aside(lease.swarm, one.host, name.port)
    except VelociraptorError as error:
        log.warning("%s on %s stays in its pools: %s", name, one.host, error)


def _note(one: Kept, told: Told) -> bool:
    """False if somebody else has noted it."""
    row = health.row_of(one.lease_id)
    rows = ProcHealth.objects.filter(pk=row.pk if row else None).exclude(told=told)
    return bool(rows.update(told=told))


def _tell_full(name: str, disk: HostDisk) -> None:
    with transaction.atomic():
        rows = Host.objects.filter(name=name, disk_full_since=None)
        if not rows.update(disk_full_since=datetime.now(UTC)):
            return
        announce(
            f"{name} has little disk left",
            f"{show_size(disk.free)} of {show_size(disk.total)} are free where {name} keeps its "
            f"procs; {show_size(settings.FREE_DISK)} are expected (VR_FREE_DISK). Its procs run "
            "on, and it gets no new ones until there is more. Make room there: vrun gc removes "
            "what no proc uses.",
            kind=Kind.HOST_DISK_FULL,
            resource_uri=f"/api/v1/hosts/{name}/",
        )


def _tell_room(name: str, since: datetime, disk: HostDisk) -> None:
    with transaction.atomic():
        rows = Host.objects.filter(name=name, disk_full_since=since)
        if not rows.update(disk_full_since=None):
            return
        announce(
            f"{name} has disk again",
            f"{show_size(disk.free)} of {show_size(disk.total)} are free on {name}. It gets new "
            "procs again.",
            kind=Kind.HOST_DISK_FREE,
            resource_uri=f"/api/v1/hosts/{name}/",
        )
