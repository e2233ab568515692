"""Events become notices in the very transaction that stores them: none is lost, none invented."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F

from vr.server.events.announcing import event_data, stored
from vr.server.events.kinds import HIDDEN, Kind
from vr.server.jobs import wake
from vr.server.models import Event, Notice, NoticeStatus, Notifier
from vr.server.notices.choosing import Wish, wants
from vr.server.notices.scope import scope_of

log = logging.getLogger(__name__)

MOST_WAITING = 1000
"""Of one notifier; what comes on top is dropped, and counted."""


def connect() -> None:
    """From now on events of this process become notices."""
    stored.connect(_queue, dispatch_uid="vr.notices")


def _queue(event: Event, kind: Kind, **_: Any) -> None:
    """Never in the way of what it tells of: a mistake in here is logged."""
    if HIDDEN in kind.tags:
        return
    try:
        with transaction.atomic():
            queue(event, kind)
    except (DatabaseError, ValueError):
        log.exception("event %s could not be queued for notifiers", event.pk)


def queue(event: Event, kind: Kind) -> None:
    """Make a notice for each active notifier that wants the event."""
    notifiers = list(Notifier.objects.filter(active=True).only("pk", "kinds", "app", "squad"))
    if not notifiers:
        return
    scope = scope_of(event)
    for one in notifiers:
        if wants(Wish(one.kinds, one.app_id, one.squad_id), kind, scope):
            add(one, event.title, event_data(event), is_bad=kind.tone == "bad")


def add(
    notifier: Notifier,
    title: str,
    data: dict[str, Any],
    *,
    is_bad: bool = False,
    is_test: bool = False,
) -> Notice | None:
    """Queue a notice; None if too many wait."""
    waiting = Notice.objects.filter(notifier=notifier, status=NoticeStatus.WAITING)
    if waiting.count() >= MOST_WAITING:
        Notifier.objects.filter(pk=notifier.pk).update(dropped=F("dropped") + 1)
        return None
    made = Notice.objects.create(
        notifier=notifier, title=title, data=data, is_bad=is_bad, is_test=is_test
    )
    wake.after_commit(wake.SEND_NOTICES, notifier.pk)
    return made
