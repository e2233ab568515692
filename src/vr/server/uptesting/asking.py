"""What users ask for: uptests of a proc, of a swarm's, or of all that serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from vr.server.answers import Conflict
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.jobs import wake
from vr.server.models import Host, Swarm, TestRun, UptestJob
from vr.server.swarming.asking import dispatch_with_procs
from vr.server.swarming.problems import SwarmBusy
from vr.server.uptesting.candidates import candidates

_WHY_NOT = (
    "Those are tested that run the release that their swarm serves; not those that a user stopped, "
    "that are down, or on hosts that are silent."
)


def uptest_swarm(swarm: Swarm, *, user: Any) -> TestRun:
    """Have the swarm's procs tested; returns the round, whose `end` tells when it is through.

    Raises SwarmBusy while a dispatch deals with its procs, Conflict if none can be tested.
    """
    if busy := dispatch_with_procs(swarm):
        raise SwarmBusy(busy)
    return _ask({"swarm": swarm}, swarm.name, user, resource_uri=f"/api/v1/swarms/{swarm.pk}/")


def uptest_proc(host: Host, proc: str, *, user: Any) -> TestRun:
    """Have one proc tested. Raises as `uptest_swarm` does."""
    swarm = Swarm.objects.filter(port_leases__host=host, port_leases__proc=proc).first()
    if swarm and (busy := dispatch_with_procs(swarm)):
        raise SwarmBusy(busy)
    return _ask({"host": host, "proc": proc}, f"{proc} on {host.name}", user)


def uptest_all(*, user: Any) -> TestRun:
    """Have all procs tested that serve, but those that dispatches deal with: these test them.

    Raises Conflict if none can be."""
    return _ask({}, "all procs", user)


def _ask(search: dict[str, Any], what: str, user: Any, *, resource_uri: str = "") -> TestRun:
    ids = [one.id for one in candidates(**search)]
    if not ids:
        raise Conflict(f"There is nothing to test of {what} now.", hint=_WHY_NOT)
    with transaction.atomic():
        asked = UptestJob.objects.filter(pk__in=ids, is_asked=True).select_related("testrun")
        under_way = {job.pk: job.testrun for job in asked}
        fresh = [one for one in ids if one not in under_way]
        if not fresh:
            # Who asks twice gets the answer of the first.
            return next(iter(under_way.values()))
        known = user if getattr(user, "pk", None) else None
        round_ = TestRun.objects.create(user=known)
        _enqueue(fresh, round_)
        user_did(user, Kind.USER_UPTESTED, what, resource_uri=resource_uri)
        wake.after_commit(wake.GO_UPTESTING)
    return round_


def _enqueue(ids: Sequence[int], round_: TestRun) -> None:
    """Those that were to be tested anyway are, for this round."""
    UptestJob.objects.filter(pk__in=ids).update(testrun=round_, is_asked=True)
    UptestJob.objects.bulk_create(
        [UptestJob(port_lease_id=one, testrun=round_, is_asked=True) for one in ids],
        ignore_conflicts=True,
    )
