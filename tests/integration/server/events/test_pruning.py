"""Old events go, and those that only move a progress bar go soon."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from vr.server.events.pruning import KEEP_DAYS, KEEP_HIDDEN_HOURS, prune_events
from vr.server.models import Event


def event(title: str, age: timedelta, *tags: str) -> None:
    made = Event.objects.create(title=title, tags=list(tags))
    Event.objects.filter(pk=made.pk).update(time=timezone.now() - age)


@pytest.mark.django_db
def test_only_events_that_somebody_may_still_follow_are_kept() -> None:
    event("old", timedelta(days=KEEP_DAYS + 1), "swarm")
    event("recent", timedelta(days=KEEP_DAYS - 1), "swarm")
    event("old step", timedelta(hours=KEEP_HIDDEN_HOURS + 1), "step", "hidden")
    event("new step", timedelta(minutes=1), "step", "hidden")
    assert prune_events() == 2
    assert set(Event.objects.values_list("title", flat=True)) == {"recent", "new step"}
