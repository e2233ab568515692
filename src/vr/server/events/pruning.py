"""Forgetting: events are for following what happens, and the database must not grow for ever."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from vr.server.events.kinds import HIDDEN
from vr.server.models import Event

KEEP_DAYS = 30
# Each change of a dispatch's step is an event too; its rows are kept with the dispatch itself.
KEEP_HIDDEN_HOURS = 1


@shared_task
def prune_events() -> int:
    """Delete events that nobody will follow any more; returns how many."""
    now = timezone.now()
    old, _ = Event.objects.filter(time__lt=now - timedelta(days=KEEP_DAYS)).delete()
    hidden, _ = Event.objects.filter(
        time__lt=now - timedelta(hours=KEEP_HIDDEN_HOURS),
        # A text match, as SQLite knows no containment of JSON.
        tags__icontains=f'"{HIDDEN}"',
    ).delete()
    return old + hidden
