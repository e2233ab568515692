"""Sending what waits for one notifier, in order, by processes of their own (`sender`)."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from vr.server.events.announcing import announce, last_id
from vr.server.events.kinds import Kind
from vr.server.jobs import leases, leaving
from vr.server.jobs.leases import Lease
from vr.server.models import Notice, NoticeStatus, Notifier
from vr.server.models.fields import Undecryptable
from vr.server.models.notifier import OPEN
from vr.server.notices.sender import SECONDS

log = logging.getLogger(__name__)

MOST_TRIES = 10
FIRST_SECONDS = 10.0
LONGEST_SECONDS = 3600.0
# The notifier's turn ends then, for others' sake.
_MOST_IN_A_ROW = 50


def pause_after(tries: int) -> float:
    """How many seconds to wait after so many tries: doubled each time, an hour at most."""
    return float(min(FIRST_SECONDS * 2 ** (tries - 1), LONGEST_SECONDS))


def send_waiting(notifier_id: int) -> None:
    """Send what is due for the notifier, unless another worker does; after a failure the rest
    waits for the next time."""
    with leases.hold(Notifier, notifier_id, OPEN) as lease:
        if lease is None:
            return
        notifier = Notifier.objects.get(pk=notifier_id)
        for _ in range(_MOST_IN_A_ROW):
            notice = _next(notifier)
            if notice is None or leaving.is_leaving() or not _send(notifier, notice, lease):
                return


def _next(notifier: Notifier) -> Notice | None:
    waiting = Notice.objects.filter(notifier=notifier, status=NoticeStatus.WAITING)
    return waiting.filter(due__lte=timezone.now()).order_by("pk").first()


def _send(notifier: Notifier, notice: Notice, lease: Lease) -> bool:
    error = ask_sender(
        {
            "url": str(notifier.stored_url),
            "is_webhook": notifier.is_webhook,
            "secret": str(notifier.stored_secret),
            "networks": [str(one) for one in settings.NOTICE_NETWORKS],
            "delivery": notice.pk,
            "title": notice.title,
            "body": str(notice.data.get("message") or notice.title),
            # It was stored before its event had its last id.
            "data": notice.data | {"id": last_id(notice.data["id"]) or notice.data["id"]},
            "is_bad": notice.is_bad,
        }
        if not isinstance(notifier.stored_url, Undecryptable)
        else None
    )
    try:
        lease.check()
    except leases.LeaseLost:
        return False
    _note(notifier, notice, error)
    return not error


def ask_sender(request: dict[str, object] | None) -> str:
    """What the sender says of a request: why it failed, in a sentence; empty if it did not."""
    if request is None:
        return str(Undecryptable.SENTENCE)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "vr.server.notices.sender"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=SECONDS + 5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return f"Sending it took over {SECONDS} s."
    if done.returncode == 0:
        return ""
    if done.returncode == 1 and "Traceback" not in done.stderr:
        return done.stderr.strip()[-1000:]
    if done.returncode < 0:
        return f"Sending it took over {SECONDS} s."
    # A traceback may hold the address.
    log.warning("the sender ended with %s", done.returncode)
    return "The sender failed; this is a bug in Velociraptor, or in Apprise."


def _note(notifier: Notifier, notice: Notice, error: str) -> None:
    now = timezone.now()
    notice.tries += 1
    notice.error = error
    if not error:
        notice.status, notice.ended = NoticeStatus.SENT, now
    elif notice.is_test or notice.tries >= MOST_TRIES:
        notice.status, notice.ended = NoticeStatus.DEAD, now
    else:
        notice.due = now + timedelta(seconds=pause_after(notice.tries))
    with transaction.atomic():
        notice.save(update_fields=["tries", "error", "status", "ended", "due"])
        if notice.status == NoticeStatus.DEAD and not notice.is_test:
            announce(
                f"{notifier.name} can't be notified",
                f"After {notice.tries} tries {notifier.name} was not told: {notice.title}\n"
                f"{error}\nTry it: vr notify test {notifier.name}",
                kind=Kind.NOTICE_FAILED,
                resource_uri=f"/api/v1/notifiers/{notifier.name}/",
            )
