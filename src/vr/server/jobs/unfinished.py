"""What is open and driven by nobody."""

from __future__ import annotations

from vr.server.jobs import leases
from vr.server.models import Build, BuildStatus, Dispatch
from vr.server.models.dispatch import OPEN


def dispatches() -> list[int]:
    """Open dispatches to wake. Those that wait for a build are woken by its end."""
    rows = Dispatch.objects.filter(status__in=OPEN).select_related("build")
    return [
        row.pk
        for row in leases.lapsed(rows)
        if row.build is None or row.build.status not in {BuildStatus.PENDING, BuildStatus.STARTED}
    ]


def builds() -> list[int]:
    """Builds that were begun, or that a dispatch waits for. Merely pending ones wait until
    somebody asks for them to be built."""
    begun = Build.objects.filter(status=BuildStatus.STARTED)
    awaited = Build.objects.filter(status=BuildStatus.PENDING, dispatches__status__in=OPEN)
    return sorted({row.pk for rows in (begun, awaited) for row in leases.lapsed(rows)})
