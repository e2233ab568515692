"""What is done to a proc that went down: started again, set up anew, tested when it is back.

Each deed holds the lease of the proc's health, so that it is done once, and looks first whether
it is still wanted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from vr.errors import VelociraptorError
from vr.hosts import deployment
from vr.hosts.connection import HostConnection
from vr.hosts.log_end import log_end
from vr.hosts.readiness import is_running, spawn_of
from vr.server.caretaking.looking import sight_of
from vr.server.caretaking.mending import Condition, Deed, Seen
from vr.server.events.announcing import announce
from vr.server.events.kinds import Kind
from vr.server.hosts import connect
from vr.server.jobs import leases
from vr.server.jobs.leases import Lease
from vr.server.models import PortLease, ProcHealth, Swarm, Told
from vr.server.procs import health
from vr.server.procs.proc_yaml import proc_file
from vr.server.swarming import routed
from vr.server.swarming.asking import dispatch_with_procs
from vr.specs.names import ProcName

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Patient:
    """A proc that something is done to."""

    lease: Lease
    told: str
    swarm: Swarm
    name: ProcName
    host: HostConnection

    def __str__(self) -> str:
        return f"{self.name} on {self.host.name}"

    def tell(self, told: Told, kind: Kind, title: str, message: str) -> None:
        """Announce it, unless that was the last that people were told of the proc."""
        self.lease.check()
        if self.told == told:
            return
        with transaction.atomic():
            self.lease.rows.update(told=told)
            announce(
                f"{self.swarm.name}: {title}",
                message,
                kind=kind,
                resource_uri=f"/api/v1/swarms/{self.swarm.pk}/",
            )


def carry_out(lease_id: int, deed: Deed) -> None:
    """Do it to the proc that owns the leased port, if it is still to be done.

    What goes wrong is logged: the next look at the proc leads to another try.
    """
    condition, do = _DO[deed]
    with leases.hold(ProcHealth, lease_id, [condition.value]) as lease:
        if lease is None:
            return
        try:
            patient = _wanted(lease_id, lease)
            if patient is not None:
                do(patient)
        except leases.LeaseLost:
            log.warning("%s of the proc of lease %s is left to another", deed.value, lease_id)
        except VelociraptorError as error:
            log.warning("%s of the proc of lease %s failed: %s", deed.value, lease_id, error)


def _wanted(lease_id: int, lease: Lease) -> _Patient | None:
    """None if the proc is not wanted any more, or a dispatch deals with it."""
    rows = PortLease.objects.select_related("host", "health", "swarm__app", "swarm__release")
    row = rows.filter(pk=lease_id).first()
    if row is None or row.swarm is None or row.swarm.release is None or row.health.is_stopped:
        return None
    name = ProcName.parse(row.proc)
    if name is None or name.hash != row.swarm.release.hash or dispatch_with_procs(row.swarm):
        return None
    return _Patient(lease, row.health.told, row.swarm, name, connect(row.host.name))


def _start(proc: _Patient) -> None:
    info = proc.host.supervisor.get(str(proc.name))
    if info is None or sight_of(info).seen is not Seen.DOWN:
        return
    # It is not tested when it comes back.
    _step_aside(proc)
    proc.host.supervisor.start(str(proc.name))
    proc.tell(
        Told.DOWN,
        Kind.PROC_DOWN,
        f"{proc.name.proc} went down",
        f"{proc} was {info['statename']} ({info['description']}). It is started again, at growing "
        "intervals, for as long as it is wanted. Its log ends:\n"
        + log_end(proc.host, str(proc.name)),
    )


def _step_aside(proc: _Patient) -> None:
    try:
        routed.step_aside(proc.swarm, proc.host.name, proc.name.port)
    except VelociraptorError as error:
        # A balancer that is away must not keep procs down as well.
        log.warning("%s stays in its pools: %s", proc, error)


def _set_up(proc: _Patient) -> None:
    release = proc.swarm.release
    assert release is not None
    _step_aside(proc)
    proc.tell(
        Told.DOWN,
        Kind.PROC_DOWN,
        f"{proc.name.proc} is gone",
        f"Supervisor does not know {proc} any more, so it is set up anew.",
    )
    deployment.deploy(proc.host, [proc_file(release, proc.name, proc.host.name)])
    if not PortLease.objects.filter(proc=str(proc.name), host__name=proc.host.name).exists():
        # A dispatch has retired it meanwhile.
        deployment.retire(proc.host, [str(proc.name)])


def _test(proc: _Patient) -> None:
    spawn = _spawn(proc)
    if not spawn:
        return
    try:
        routed.prove_and_put_back(proc.swarm, proc.host, proc.name)
    except VelociraptorError as error:
        if _spawn(proc) == spawn:
            _note_failed(proc, error)
        return
    # One that has started again meanwhile is another one, which was not tested.
    if _spawn(proc) == spawn:
        _note_passed(proc, spawn)


def _spawn(proc: _Patient) -> str:
    """Which start of it runs; empty if none does."""
    info = proc.host.supervisor.get(str(proc.name))
    return spawn_of(info) if info is not None and is_running(info) else ""


def _note_failed(proc: _Patient, error: VelociraptorError) -> None:
    proc.lease.check()
    proc.tell(
        Told.FAILED,
        Kind.UPTESTS_FAILED,
        f"{proc.name.proc} came back and failed its uptests",
        f"{proc}: {error.message} It is out of its pool, unless no other node there takes "
        f"connections, until it passes.\n{error.details}",
    )
    _step_aside(proc)


def _note_passed(proc: _Patient, spawn: str) -> None:
    proc.lease.check()
    proc.lease.rows.update(**health.well_since(spawn))
    proc.tell(
        Told.NOTHING,
        Kind.PROC_WELL,
        f"{proc.name.proc} is well",
        f"{proc} runs again, and has passed its uptests.",
    )


_DO: dict[Deed, tuple[Condition, Callable[[_Patient], None]]] = {
    Deed.START: (Condition.AWAY, _start),
    Deed.SET_UP: (Condition.GONE, _set_up),
    Deed.TEST: (Condition.BACK, _test),
}
