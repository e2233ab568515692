"""What people follow of a dispatch: its steps, with durations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Max
from django.utils import timezone

from vr.server.api.fields import PREFIX, Answering
from vr.server.models import Dispatch, Swarm

_LATEST = "latest dispatches"


def steps_of(dispatch: Dispatch) -> list[dict[str, Any]]:
    """`{kind, status, message, started, ended, seconds}` of each step, in order."""
    return [
        {
            "kind": step.kind,
            "status": step.status,
            "message": step.message,
            "started": _iso(step.started),
            "ended": _iso(step.ended),
            "seconds": _seconds(step.started, step.ended),
        }
        for step in dispatch.steps.all()
    ]


def seconds_of(dispatch: Dispatch) -> float | None:
    """How long it took from being asked for, or takes so far."""
    return _seconds(dispatch.created, dispatch.ended)


def latest_uri(swarm: Swarm, answering: Answering) -> str | None:
    """The path of a swarm's newest dispatch; read for all swarms of a list at once."""
    if _LATEST not in answering.remembered:
        newest = Dispatch.objects.values("swarm").annotate(newest=Max("pk")).values("newest")
        found = Dispatch.objects.filter(pk__in=newest).values_list("swarm_id", "trace_id")
        answering.remembered[_LATEST] = dict(found)
    trace_id = answering.remembered[_LATEST].get(swarm.pk)
    return f"{PREFIX}/dispatches/{trace_id}/" if trace_id else None


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() if moment else None


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round(((end or timezone.now()) - start).total_seconds(), 3) if start else None
