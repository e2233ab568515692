"""Dispatches: how far a swarm got on its way, step by step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Max
from django.utils import timezone

from vr.server.models import Dispatch, DispatchStatus, StepKind, StepStatus, Swarm
from vr.server.models.dispatch import OPEN
from vr.server.resources.fields import Answering, Computed, Flag, Integer, Moment, Text
from vr.server.resources.links import Link
from vr.server.resources.resource import Resource, Through
from vr.server.resources.shapes import (
    MOMENT,
    NUMBER,
    PATH,
    TEXT,
    Schema,
    component,
    list_of,
    or_null,
    record,
)
from vr.server.swarming.pools import preview_url

_LATEST = "latest dispatches"

UNDER_WAY: Schema = record(
    {"trace_id": TEXT, "version": TEXT, "status": {"type": "string", "enum": list(OPEN)}}
)
"""What `under_way` gives."""
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


def preview_of(dispatch: Dispatch, _: Answering) -> str | None:
    """Where a held version answers; None if it is not held, or its balancer has no addresses."""
    is_held = dispatch.status == DispatchStatus.HELD
    return (preview_url(dispatch.swarm) if is_held else "") or None


def _reverted(dispatch: Dispatch, _: Answering) -> str | None:
    """The path of the dispatch that this one takes back, if it does."""
    return f"{DISPATCHES.path}{dispatch.reverts.trace_id}/" if dispatch.reverts else None


def under_way(swarm: Swarm, answering: Answering) -> dict[str, Any] | None:
    """What a swarm is being brought to."""
    newest = _newest(answering).get(swarm.pk)
    return newest if newest and newest["status"] in OPEN else None


def latest_uri(swarm: Swarm, answering: Answering) -> str | None:
    """The path of a swarm's newest dispatch."""
    newest = _newest(answering).get(swarm.pk)
    return f"{DISPATCHES.path}{newest['trace_id']}/" if newest else None


def _newest(answering: Answering) -> dict[int, dict[str, Any]]:
    """The newest dispatch of each swarm, read for all swarms of a list at once. No older one is
    open."""
    if _LATEST not in answering.remembered:
        newest = Dispatch.objects.values("swarm").annotate(newest=Max("pk")).values("newest")
        rows = Dispatch.objects.filter(pk__in=newest)
        answering.remembered[_LATEST] = {
            pk: {"trace_id": trace_id, "version": tag, "status": status}
            for pk, trace_id, tag, status in rows.values_list(
                "swarm_id", "trace_id", "tag", "status"
            )
        }
    found: dict[int, dict[str, Any]] = answering.remembered[_LATEST]
    return found


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
        Flag(name="hold"),
        Integer(name="canary"),
        Integer(name="canary_seconds"),
        Integer(name="batch"),
        Integer(name="batched"),
        Computed(name="preview", value=preview_of, schema=or_null(TEXT)),
        Moment(name="held_until", attribute="rests_until"),
        Text(name="routed_by", nullable=True),
        Computed(name="reverts", value=_reverted, schema=or_null(PATH)),
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
    select=("swarm__app", "release", "previous_release", "build", "user", "reverts"),
    prefetch=("steps",),
    read_only=True,
)
