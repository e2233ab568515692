"""What is open and driven by nobody, oldest first."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from vr.server.jobs import leases
from vr.server.jobs.turns import Waiting
from vr.server.models import Build, BuildStatus, Dispatch, HostJob
from vr.server.models.dispatch import OPEN
from vr.server.models.host_job import OPEN as OPEN_HOST_JOBS


def dispatches() -> list[Waiting]:
    """Open dispatches to carry on. Those that wait for a build are woken by its end, those that
    rest by whoever has them routed or cancelled."""
    now = timezone.now()
    rows = Dispatch.objects.filter(status__in=OPEN).select_related("build", "swarm")
    return [
        Waiting(row.pk, row.swarm.app_id)
        for row in leases.lapsed(rows.order_by("pk"))
        if row.cancel_asked
        or (
            (row.build is None or not row.build.is_open)
            and (row.rests_until is None or row.rests_until <= now)
        )
    ]


def builds() -> list[Waiting]:
    """Builds that were begun, that a dispatch waits for, or that somebody asked for. Other
    pending ones wait until they are asked for."""
    wanted = Q(status=BuildStatus.STARTED) | Q(status=BuildStatus.PENDING) & (
        Q(asked__isnull=False) | Q(dispatches__status__in=OPEN)
    )
    rows = Build.objects.filter(wanted).order_by("pk").distinct()
    return [Waiting(row.pk, row.app_id) for row in leases.lapsed(rows)]


def host_jobs() -> list[int]:
    """The keys of jobs on hosts that wait, or whose worker has died."""
    rows = HostJob.objects.filter(status__in=OPEN_HOST_JOBS).order_by("pk")
    return [row.pk for row in leases.lapsed(rows)]
