"""The uptests of one proc: run, noted, told, and what follows for its pools."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from vr.errors import VelociraptorError
from vr.hosts.connection import HostConnection
from vr.hosts.readiness import is_running, spawn_of
from vr.server.events.announcing import announce
from vr.server.events.kinds import Kind
from vr.server.hosts import connect
from vr.server.jobs import leases
from vr.server.jobs.leases import Lease
from vr.server.models import ProcHealth, Swarm, UptestJob
from vr.server.models.uptest_job import OPEN
from vr.server.procs import health
from vr.server.swarming import proc_uptests, routed
from vr.server.swarming.asking import dispatch_with_procs
from vr.server.uptesting.candidates import candidates
from vr.server.uptests import recording
from vr.server.uptests.results import Result, describe_failures, have_passed
from vr.specs.names import ProcName
from vr.text.plurals import counted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Tested:
    """A proc of a swarm, and what became of it so far."""

    job: UptestJob
    lease: Lease
    swarm: Swarm
    name: ProcName
    host: HostConnection

    def __str__(self) -> str:
        return f"{self.name} on {self.host.name}"

    def tell(self, kind: Kind, title: str, message: str) -> None:
        announce(
            f"{self.swarm.name}: {self.name.proc} {title}",
            message,
            kind=kind,
            resource_uri=f"/api/v1/swarms/{self.swarm.pk}/",
        )


def carry_out(lease_id: int) -> None:
    """Run the uptests of the proc that owns the leased port, if they are still to be run.

    A proc that a dispatch deals with meanwhile, that restarted, or whose host does not answer is
    left to a later try: nothing is known of it then.
    """
    with leases.hold(UptestJob, lease_id, OPEN) as lease:
        if lease is None:
            return
        try:
            tested = _wanted(lease_id, lease)
            if tested is not None:
                _test(tested)
        except leases.LeaseLost:
            log.warning("the uptests of lease %s are left to another", lease_id)
        except VelociraptorError as error:
            log.warning("the uptests of lease %s could not be run: %s", lease_id, error)


def _wanted(lease_id: int, lease: Lease) -> _Tested | None:
    rows = UptestJob.objects.select_related("port_lease__host", "port_lease__swarm__app")
    job = rows.select_related("port_lease__swarm__release").filter(pk=lease_id).first()
    if job is None:
        return None
    port = job.port_lease
    name = ProcName.parse(port.proc)
    if port.swarm is None or name is None or not any(candidates(pk=lease_id)):
        return None
    return _Tested(job, lease, port.swarm, name, connect(port.host.name))


def _test(tested: _Tested) -> None:
    spawn = _spawn(tested)
    if not spawn:
        return
    results = proc_uptests.run(tested.swarm, tested.host, tested.name)
    # What was stopped, or replaced, while it was tested has not failed.
    if _spawn(tested) != spawn or not any(candidates(pk=tested.job.pk)):
        return
    tested.lease.check()
    now = _note(tested, results)
    if now is not None and now.is_unrouted:
        _leave_pool(tested) if now.test_failures else _return_to_pool(tested)


def _spawn(tested: _Tested) -> str:
    """Which start of it runs; empty if none does."""
    info = tested.host.supervisor.get(str(tested.name))
    return spawn_of(info) if info is not None and is_running(info) else ""


def _note(tested: _Tested, results: list[Result]) -> ProcHealth | None:
    """Store the results, tell of what changed, and end the job; returns how the proc is, None if
    it has been retired."""
    with transaction.atomic():
        row = health.row_of(tested.job.pk)
        # Whoever asked meanwhile has made the job one of another round.
        job = UptestJob.objects.select_for_update().filter(pk=tested.job.pk).first()
        if row is None or job is None:
            return None
        before = (row.test_failures, row.is_unrouted)
        limit = tested.swarm.unroute_after
        row.test_failures = 0 if have_passed(results) else row.test_failures + 1
        row.is_unrouted = row.is_unrouted or bool(limit and row.test_failures >= limit)
        row.tested = timezone.now()
        row.save(update_fields=["test_failures", "is_unrouted", "tested"])
        recording.add(job.testrun, tested.host.name, str(tested.name), results)
        job.delete()
        _tell(tested, results, before, (row.test_failures, row.is_unrouted))
    return row


def _tell(
    tested: _Tested, results: list[Result], before: tuple[int, bool], after: tuple[int, bool]
) -> None:
    """Announce what has changed; each is the failures in a row, and whether it left its pool."""
    failures, is_unrouted = after
    said = describe_failures(results)
    if is_unrouted and not before[1]:
        tested.tell(
            Kind.PROC_UNROUTED,
            "leaves its pool",
            f"{tested} failed its uptests {counted(failures, 'time')} in a row. It is out of its "
            f"pool, unless no other node there takes connections, until it passes.\n{said}",
        )
    elif failures and not before[0]:
        limit = tested.swarm.unroute_after
        later = f"It leaves its pool after {counted(limit, 'failure')} in a row." if limit else ""
        tested.tell(
            Kind.UPTESTS_FAILED,
            "fails its uptests",
            f"{tested}. {later or 'It stays where it is routed.'}\n{said}",
        )
    elif before[0] and not failures and not is_unrouted:
        tested.tell(Kind.UPTESTS_AGAIN, "passes its uptests again", str(tested))


def _leave_pool(tested: _Tested) -> None:
    if not dispatch_with_procs(tested.swarm):
        routed.step_aside(tested.swarm, tested.host.name, tested.name.port)


def _return_to_pool(tested: _Tested) -> None:
    routed.step_back(tested.swarm, tested.host.name, tested.name)
    with transaction.atomic():
        if ProcHealth.objects.filter(pk=tested.job.pk, is_unrouted=True).update(is_unrouted=False):
            tested.tell(
                Kind.UPTESTS_AGAIN, "passes its uptests again", f"{tested}; it is routed again."
            )
