"""What people follow of a dispatch: its steps, with durations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from vr.server.api.fields import PREFIX
from vr.server.models import Dispatch, Swarm


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


def latest_uri(swarm: Swarm) -> str | None:
    """The path of a swarm's newest dispatch."""
    trace_id = swarm.dispatches.order_by("-id").values_list("trace_id", flat=True).first()
    return f"{PREFIX}/dispatches/{trace_id}/" if trace_id else None


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() if moment else None


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round(((end or timezone.now()) - start).total_seconds(), 3) if start else None
