"""The page /metrics: who may read it, and at what cost."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from vr.server.access.authentication import user_of
from vr.server.answers import refusal, unauthorized
from vr.server.metrics import families, reading
from vr.server.shared_check import SharedCheck

_FRESH_SECONDS = 5.0
_LONGEST_WAIT = 20.0
# Who has these was sent by a proxy, whose address says nothing.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What was measured some seconds ago at most, in Prometheus' text format.

    It is read once for all who ask meanwhile. VR_METRICS_ACCESS says who may ask.
    """
    if settings.METRICS_ACCESS == "off":
        return refusal(404, "There are no metrics here.", hint="VR_METRICS_ACCESS is off.")
    if not _may_read(request):
        return unauthorized()
    try:
        text = _READING.ask().result(_LONGEST_WAIT)
    except TimeoutError:
        return refusal(503, f"Reading the metrics takes over {_LONGEST_WAIT:.0f} s.")
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_ACCESS == "loopback" and _is_on_loopback(request):
        return True
    return user_of(request) is not None


def _is_on_loopback(request: HttpRequest) -> bool:
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _read() -> bytes:
    try:
        return families.text(reading.read())
    finally:
        connection.close()


_READING = SharedCheck(_read, name="metrics", fresh_seconds=_FRESH_SECONDS)
