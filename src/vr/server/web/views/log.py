"""The action log: who did what, and when."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vr.server.models import LogEntry

PER_PAGE = 50


@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """A page of the log; `type`, `user` and `q` (a part of the message) narrow it.

    No other query key becomes a database filter: the original let any through, up to users'
    password hashes.
    """
    entries = LogEntry.objects.select_related("user")
    chosen = {key: request.GET.get(key, "").strip() for key in ("type", "user", "q")}
    if chosen["type"]:
        entries = entries.filter(type=chosen["type"])
    if chosen["user"]:
        entries = entries.filter(user__username=chosen["user"])
    if chosen["q"]:
        entries = entries.filter(message__icontains=chosen["q"])
    context = {
        "page": Paginator(entries, PER_PAGE).get_page(request.GET.get("page")),
        "types": LogEntry.objects.order_by("type").values_list("type", flat=True).distinct(),
        "users": get_user_model().objects.order_by("username").values_list("username", flat=True),
        "chosen": chosen,
    }
    return render(request, "web/log.html", context)
