"""The dashboard, with the two fragments that it renews as streams tell of changes."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from vr.server.events.kinds import HIDDEN
from vr.server.models import App, Event, Host, Stack
from vr.server.web.live_state import read_board

EVENTS_SHOWN = 100


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Everything that runs, and what happened lately."""
    query = request.GET.get("q", "")
    context = _board_context(query) | {"events": newest_events(query), "q": query}
    return render(request, "web/dashboard.html", context)


@require_safe
def board_fragment(request: HttpRequest) -> HttpResponse:
    """The tree of apps, swarms and procs."""
    query = request.GET.get("q", "")
    return render(request, "web/parts/board.html", _board_context(query) | {"q": query})


@require_safe
def events_fragment(request: HttpRequest) -> HttpResponse:
    """Events newer than `after` (an event's id), newest first; 204 if there are none.

    `trace` keeps those of one dispatch, `q` those that mention a text.
    """
    after = request.GET.get("after", "")
    events = newest_events(
        request.GET.get("q", ""),
        trace=request.GET.get("trace", ""),
        after=int(after) if after.isdecimal() else 0,
    )
    if not events and after:
        return HttpResponse(status=204)
    return render(request, "web/parts/events.html", {"events": events})


def newest_events(query: str = "", *, trace: str = "", after: int = 0) -> list[Event]:
    found = Event.objects.order_by("-id")
    if after:
        found = found.filter(pk__gt=after)
    if trace:
        found = found.filter(trace_id=trace)
    if query:
        found = found.filter(
            Q(title__icontains=query) | Q(message__icontains=query) | Q(tags__icontains=query)
        )
    return [event for event in found[:EVENTS_SHOWN] if HIDDEN not in event.tags]


def _board_context(query: str) -> dict[str, Any]:
    board, available = read_board(query)
    context: dict[str, Any] = {"board": board, "live_available": available}
    if not board.swarm_count:
        context["first_steps"] = _first_steps()
    return context


def _first_steps() -> list[dict[str, Any]]:
    """What is left to do until the first swarm runs, in order."""
    steps: list[dict[str, Any]] = [
        {
            "done": Host.objects.filter(active=True, squad__isnull=False).exists(),
            "text": "Put a host into a squad",
            "link": "Hosts",
            "url": reverse("web:host_list"),
        },
        {
            "done": Stack.objects.filter(images__active=True).exists(),
            "text": "Have a stack with an OS image",
            "link": "Stacks",
            "url": reverse("web:stack_list"),
        },
        {
            "done": App.objects.exists(),
            "text": "Add an app: its name, and where its code lives",
            "link": "Add an app",
            "url": reverse("web:app_add"),
        },
        {
            "done": False,
            "text": "Swarm it: which version, how many procs, where",
            "link": "New swarm",
            "url": reverse("web:swarm_add"),
        },
    ]
    following = next(step for step in steps if not step["done"])
    following["is_next"] = True
    return steps
