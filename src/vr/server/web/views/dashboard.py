"""The dashboard, with the two fragments that it renews as streams tell of changes."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from vr.server.events.kinds import HIDDEN
from vr.server.joint_reads import JointReads
from vr.server.models import App, Event, Host, Stack, Swarm
from vr.server.web.live_state import read_board, read_changes, read_swarm

EVENTS_SHOWN = 100
# Browsers that have more to ask for fetch the whole board.
CHANGES_AT_ONCE = 50


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Everything that runs, and what happened lately."""
    query = request.GET.get("q", "")
    context = {"q": query, "board": _board(request), "events": _events.fresh(query)}
    return render(request, "web/dashboard.html", context)


@require_safe
def board_fragment(request: HttpRequest) -> HttpResponse:
    """The tree of apps, swarms and procs."""
    return HttpResponse(_board(request))


@require_safe
def swarm_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    """The procs of a swarm, for boards that leave them out at first."""
    node, _ = read_swarm(get_object_or_404(Swarm, pk=pk))
    return render(request, "web/parts/host_groups.html", {"groups": node.hosts})


@require_safe
def changes_fragment(request: HttpRequest) -> HttpResponse:
    """Parts of the board that are put in place of those there: the procs `proc` and swarms
    `swarm` (an id) that changed, and the totals.

    `moved` are procs that the page lacks, or that are gone; both are `<host>/<name>`. The event
    `vr:moved` then names the swarms whose procs are to be fetched anew; null if that isn't
    enough.
    """
    procs, moved = (_named(request, key) for key in ("proc", "moved"))
    swarms = [int(pk) for pk in request.GET.getlist("swarm") if pk.isdecimal()]
    changes, available = read_changes(procs, moved, swarms)
    if not available:
        # The whole says so.
        return HttpResponse(status=204, headers={"HX-Trigger": '{"vr:moved": {"swarms": null}}'})
    context = {"totals": changes.totals, "nodes": changes.nodes, "groups": changes.groups}
    response = render(request, "web/parts/board_changes.html", context)
    if moved:
        trigger_client_event(response, "vr:moved", {"swarms": changes.moved})
    return response


def _named(request: HttpRequest, key: str) -> list[tuple[str, str]]:
    """(host, name) of each proc that is asked for."""
    pairs = (text.partition("/") for text in request.GET.getlist(key)[:CHANGES_AT_ONCE])
    return [(host, name) for host, _, name in pairs]


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


def _board(request: HttpRequest) -> SafeString:
    query, page = request.GET.get("q", ""), request.GET.get("page", "")
    return _boards.fresh((query, int(page) if page.isdecimal() else 1))


def _rendered(asked: tuple[str, int]) -> SafeString:
    """The board for everybody: nothing in it depends on who looks."""
    query, page = asked
    board, available = read_board(query, page)
    context: dict[str, Any] = {"board": board, "live_available": available, "q": query}
    if not board.totals.swarms:
        context["first_steps"] = _first_steps()
    return render_to_string("web/parts/board.html", context)


def _rendered_events(query: str) -> SafeString:
    return render_to_string("web/parts/events.html", {"events": newest_events(query)})


_boards = JointReads(_rendered)
_events = JointReads(_rendered_events)


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
