"""What waits to be sent and nobody sends; and forgetting what has ended."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Min
from django.utils import timezone

from vr.server.jobs import leases
from vr.server.models import Notice, NoticeStatus, Notifier

KEEP_DAYS = 7


def notifiers() -> list[int]:
    """The keys of notifiers for which something is due, and to which nobody sends now; those
    that have waited for longest first."""
    due = Notice.objects.filter(status=NoticeStatus.WAITING, due__lte=timezone.now())
    first = dict(due.values_list("notifier_id").annotate(Min("due")).order_by())
    free = leases.lapsed(Notifier.objects.filter(pk__in=first, active=True))
    return sorted((one.pk for one in free), key=lambda pk: first[pk])


def prune() -> int:
    """Delete notices that ended long ago; returns how many."""
    old = timezone.now() - timedelta(days=KEEP_DAYS)
    return Notice.objects.filter(ended__lt=old).delete()[0]
