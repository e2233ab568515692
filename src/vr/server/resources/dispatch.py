"""Dispatches: how far a swarm got on its way, step by step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Max
from django.utils import timezone

from vr.server.models import Dispatch, StepKind, StepStatus, Swarm
from vr.server.resources.fields import Answering, Computed, Integer, Moment, Text
from vr.server.resources.links import Link
from vr.server.resources.resource import Resource, Through
from vr.server.resources.shapes import (
    MOMENT,
    NUMBER,
    TEXT,
    Schema,
    component,
    list_of,
    or_null,
    record,
)

_LATEST = "latest dispatches"

STEP: Schema = record(
    {
        "kind": {"type": "string", "enum": StepKind.values},
        "status": {"type": "string", "enum": StepStatus.values},
        "message": TEXT,
        "started": or_null(MOMENT),
        "ended": or_null(MOMENT),
        "seconds": or_null(NUMBER),
    }
)
"""What `steps_of` makes of a step."""


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
    return f"{DISPATCHES.path}{trace_id}/" if trace_id else None


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() if moment else None


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round(((end or timezone.now()) - start).total_seconds(), 3) if start else None


DISPATCHES = Resource(
    name="dispatches",
    noun="dispatch",
    about="A swarm on its way to a version and size, step by step.",
    model=Dispatch,
    key="trace_id",
    fields=(
        Text(name="trace_id"),
        Text(name="status"),
        Text(name="version", attribute="tag"),
        Integer(name="size"),
        Text(name="note"),
        Text(name="error"),
        Text(name="output"),
        Computed(name="name", value=lambda dispatch, _: dispatch.swarm.name),
        Link(name="swarm", to="swarms"),
        Link(name="build", to="builds"),
        Link(name="release", to="releases"),
        Link(name="previous_release", to="releases"),
        Computed(
            name="user",
            value=lambda dispatch, _: dispatch.user.get_username() if dispatch.user else None,
            schema=or_null(TEXT),
        ),
        Text(name="cancelled_by", nullable=True),
        Moment(name="created"),
        Moment(name="started"),
        Moment(name="ended"),
        Computed(
            name="seconds", value=lambda dispatch, _: seconds_of(dispatch), schema=or_null(NUMBER)
        ),
        Computed(
            name="steps",
            value=lambda dispatch, _: steps_of(dispatch),
            schema=list_of(component("Step")),
        ),
    ),
    filters={"swarm": Through("swarms"), "status": "status", "tag": "tag"},
    order=("-id",),
    select=("swarm__app", "release", "previous_release", "build", "user"),
    prefetch=("steps",),
    read_only=True,
)
