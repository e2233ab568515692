"""What users ask of notifiers beside changing them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from vr.server.answers import Conflict
from vr.server.models import Notice, Notifier
from vr.server.notices import queueing


def test(notifier: Notifier, *, user: Any) -> Notice:
    """Send a notice to the notifier, once; returns it, whose `status` tells what became of it.

    Raises Conflict if too many wait already.
    """
    who = user.get_username() if getattr(user, "pk", None) else "somebody"
    message = f"{who} tests whether notices of Velociraptor reach {notifier.name}. They do."
    now = timezone.now().replace(tzinfo=None).isoformat()
    title = "A test of notices"
    data = {"id": 0, "time": now, "title": title, "message": message, "tags": ["test"]}
    with transaction.atomic():
        made = queueing.add(notifier, title, data, is_test=True)
    if made is None:
        raise Conflict(f"{queueing.MOST_WAITING} notices wait for {notifier.name} already.")
    return made
