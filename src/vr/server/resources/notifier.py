"""Notifiers: who elsewhere is told of events; and what was sent to them."""

from __future__ import annotations

from typing import Any

from vr.server import models
from vr.server.resources.fields import Answering, Computed, Flag, Integer, Moment, Text
from vr.server.resources.links import Link
from vr.server.resources.resource import Resource, Through
from vr.server.resources.shapes import INTEGER, OBJECT, TEXT, or_null


def _last_error(notifier: Any, _: Answering) -> str | None:
    """Why the last that was tried was not sent; null if it was."""
    last = notifier.notices.filter(tries__gt=0).values_list("error", flat=True).first()
    return last or None


def _waiting(notifier: Any, _: Answering) -> int:
    found: int = notifier.notices.filter(status=models.NoticeStatus.WAITING).count()
    return found


NOTIFIERS = Resource(
    name="notifiers",
    noun="notifier",
    about="Who elsewhere is told of which events. Address and secret are never shown.",
    model=models.Notifier,
    key="name",
    fields=(
        Text(name="name"),
        Text(name="url"),
        Text(name="secret", nullable=True),
        Text(name="kinds"),
        Link(name="app", to="apps"),
        Link(name="squad", to="squads"),
        Flag(name="active"),
        Text(name="service", writable=False),
        Integer(name="dropped", writable=False),
        Computed(name="waiting", value=_waiting, schema=INTEGER),
        Computed(name="last_error", value=_last_error, schema=or_null(TEXT)),
    ),
    filters={"name": "name", "app": Through("apps"), "squad": Through("squads")},
    order=("name",),
    select=("app", "squad"),
)

NOTICES = Resource(
    name="notices",
    noun="notice",
    about="What was sent to notifiers, or waits to be.",
    model=models.Notice,
    fields=(
        Link(name="notifier", to="notifiers"),
        Text(name="title"),
        Computed(name="data", value=lambda notice, _: notice.data, schema=OBJECT),
        Text(name="status"),
        Integer(name="tries"),
        Text(name="error", nullable=True),
        Moment(name="created"),
        Moment(name="due"),
        Moment(name="ended"),
    ),
    filters={"notifier": Through("notifiers"), "status": "status", "created": "created"},
    order=("-id",),
    select=("notifier",),
    read_only=True,
)
