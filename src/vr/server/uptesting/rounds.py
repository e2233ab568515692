"""Who is uptested next: jobs are made of what is due, and workers told of those that may begin.

Only one worker decides at a time. Nothing here waits for a host.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from vr.server.jobs import leases, leaving, wake
from vr.server.models import Duty, TestRun, UptestJob
from vr.server.models.duty import OPEN
from vr.server.uptesting.candidates import candidates
from vr.server.uptesting.schedule import Candidate, Job, due, next_jobs

NAME = "uptesting"
# A worker that was told begins by then, or never.
_BEGINS_SECONDS = 5.0
# What could not be tested is tried again so much later, and given up in the end.
_PAUSE_SECONDS = 30.0
_PATIENCE_SECONDS = 3600.0
_LOOKED_AT = 1000
# So that a list of rounds, each with its results, stays readable.
_LARGEST_ROUND = 100


def go_round() -> None:
    """Make jobs of what is due, end rounds that are through, and hand out what waits."""
    _alone(_go_round)


def hand_out() -> None:
    """Tell workers of what waits and may begin, as another job has ended."""
    _alone(_hand_out)


def _alone(do: Callable[[], None]) -> None:
    if leaving.is_leaving():
        return
    Duty.objects.get_or_create(name=NAME)
    with leases.hold(Duty, NAME, OPEN) as lease:
        if lease is not None:
            do()


def _go_round() -> None:
    now = timezone.now()
    found = due(candidates(uptest_job__isnull=True), now.timestamp(), settings.UPTEST_SECONDS)
    if found:
        # After an outage all are due: those that waited for longest come first.
        _make_jobs(sorted(found, key=lambda one: one.tested)[:_LARGEST_ROUND], now)
    UptestJob.objects.filter(created__lt=now - timedelta(seconds=_PATIENCE_SECONDS)).delete()
    _end_rounds(now)
    _hand_out()


def _make_jobs(found: list[Candidate], now: datetime) -> None:
    with transaction.atomic():
        round_ = TestRun.objects.filter(until__gt=now, end=None).first()
        if round_ is None or _size(round_) >= _LARGEST_ROUND:
            # One that is full ends with its last test.
            TestRun.objects.filter(until__gt=now, end=None).update(until=now)
            round_ = TestRun.objects.create(until=_end_of_interval(now))
        UptestJob.objects.bulk_create(
            [UptestJob(port_lease_id=one.id, testrun=round_) for one in found],
            ignore_conflicts=True,
        )


def _size(round_: TestRun) -> int:
    return round_.testresults.count() + round_.jobs.count()


def _end_of_interval(now: datetime) -> datetime:
    every = settings.UPTEST_SECONDS or int(_PATIENCE_SECONDS)
    return datetime.fromtimestamp((now.timestamp() // every + 1) * every, tz=UTC)


def _end_rounds(now: datetime) -> None:
    through = TestRun.objects.filter(dispatch=None, end=None, jobs=None).exclude(until__gt=now)
    TestRun.objects.filter(pk__in=list(through.values_list("pk", flat=True))).update(end=now)


def _hand_out() -> None:
    now = timezone.now()
    rows = UptestJob.objects.select_related("port_lease__host").order_by("-is_asked", "created")
    owned = rows.exclude(lease_owner="")
    lapsed = {row.pk for row in leases.lapsed(owned)}
    told = rows.filter(handed__gt=_before(now, _BEGINS_SECONDS))
    busy = {row.pk: row.port_lease.host.name for row in (*owned, *told) if row.pk not in lapsed}
    fresh = rows.exclude(handed__gt=_before(now, _PAUSE_SECONDS)).exclude(pk__in=busy)
    waiting = [Job(row.pk, row.port_lease.host.name) for row in fresh[:_LOOKED_AT]]
    for job in next_jobs(waiting, Counter(busy.values())):
        UptestJob.objects.filter(pk=job.id).update(handed=now)
        wake.now(wake.UPTEST, job.id, expires=_BEGINS_SECONDS)


def _before(now: datetime, seconds: float) -> datetime:
    return now - timedelta(seconds=seconds)
