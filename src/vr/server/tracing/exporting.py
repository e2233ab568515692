"""Sending the traces of dispatches that have ended to an OTLP endpoint, each until it is taken."""

from __future__ import annotations

import http.client
import json
import logging
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from vr.server.jobs import leases
from vr.server.models import Dispatch, DispatchStatus, Duty, StepStatus
from vr.server.models.dispatch import ENDED
from vr.server.models.duty import OPEN
from vr.server.tracing.spans import Span, request

log = logging.getLogger(__name__)

NAME = "tracing"
_AT_ONCE = 50
_SECONDS = 5.0
# What no endpoint has taken by then is forgotten.
_KEPT = timedelta(hours=1)


def export() -> int:
    """Send what has ended and was not taken yet; returns how many dispatches were taken. Nothing
    is done without VR_OTLP_ENDPOINT, or while another worker does it."""
    if not settings.OTLP_ENDPOINT:
        return 0
    Duty.objects.get_or_create(name=NAME)
    with leases.hold(Duty, NAME, OPEN) as lease:
        return _export() if lease is not None else 0


def _export() -> int:
    rows = Dispatch.objects.filter(
        is_traced=False, status__in=ENDED, ended__gt=timezone.now() - _KEPT
    )
    rows = rows.select_related("swarm__app", "swarm__squad").prefetch_related("steps")
    found = list(rows.order_by("pk")[:_AT_ONCE])
    if not found:
        return 0
    body = request(
        ((one.trace_id, _whole(one), _steps(one)) for one in found), settings.VR_SITE_TITLE
    )
    if problem := _post(json.dumps(body).encode()):
        log.warning("traces of %s dispatches were not taken: %s", len(found), problem)
        return 0
    return Dispatch.objects.filter(pk__in=[one.pk for one in found]).update(is_traced=True)


def _whole(dispatch: Dispatch) -> Span:
    swarm = dispatch.swarm
    return Span(
        name=f"dispatch {swarm.name}",
        began=dispatch.created,
        ended=dispatch.ended or dispatch.created,
        error=dispatch.error,
        is_good=dispatch.status == DispatchStatus.SUCCEEDED,
        attributes={
            "vr.app": swarm.app.name,
            "vr.swarm": swarm.name,
            "vr.squad": swarm.squad.name,
            "vr.version": dispatch.tag,
            "vr.size": dispatch.size,
            "vr.status": dispatch.status,
        },
    )


def _steps(dispatch: Dispatch) -> list[Span]:
    ended = dispatch.ended or dispatch.created
    return [
        Span(
            name=step.kind,
            began=step.started,
            ended=step.ended or ended,
            error=step.message if step.status == StepStatus.FAILED else "",
            attributes={"vr.message": step.message},
        )
        for step in dispatch.steps.all()
    ]


def _post(body: bytes) -> str:
    """Why the endpoint did not take it; empty if it did."""
    parts = urlsplit(f"{settings.OTLP_ENDPOINT.rstrip('/')}/v1/traces")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"Content-Type": "application/json", **settings.OTLP_HEADERS}
    connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        connection.request("POST", parts.path, body=body, headers=headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"status {status}"
