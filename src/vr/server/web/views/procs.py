"""A proc: what its host last said of it, its log, and what can be done to it."""

from __future__ import annotations

import time

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from vr.events.procs import OVER_DISK, RESTARTING
from vr.server.models import Host, Swarm
from vr.server.procs.ownership import Unowned, read_claims
from vr.server.records import adopting
from vr.server.swarming.proc_actions import proc_action
from vr.server.uptesting.asking import uptest_proc
from vr.server.web import uptests
from vr.server.web.chips import host_group
from vr.server.web.feedback import say
from vr.server.web.live_state import read_proc
from vr.specs.names import ProcName

DONE = {
    "start": "{} is started.",
    "stop": "{} is stopped.",
    "restart": "{} is restarted.",
    "delete": "{} is destroyed.",
}
_OFFERED = {
    "RUNNING": (("restart", "Restart"), ("stop", "Stop")),
    RESTARTING: (("restart", "Restart"), ("stop", "Stop")),
    "STARTING": (("stop", "Stop"),),
    "BACKOFF": (("stop", "Stop"),),
    "STOPPED": (("start", "Start"),),
    "EXITED": (("start", "Start"),),
    "FATAL": (("start", "Start"),),
    OVER_DISK: (("start", "Start"),),
}


@require_safe
def proc(request: HttpRequest, host: str, name: str) -> HttpResponse:
    """The proc's page; 404 for a host that is not known."""
    return render(request, "web/proc.html", _context(host, name))


@require_safe
def facts_fragment(request: HttpRequest, host: str, name: str) -> HttpResponse:
    """The proc's state and facts, renewed as they change."""
    return render(request, "web/parts/proc_facts.html", _context(host, name))


@require_POST
def action(request: HttpRequest, host: str, name: str, action: str) -> HttpResponse:
    """Start, stop, restart or destroy the proc."""
    if action not in DONE:
        raise Http404(f"procs can't be told to {action!r}")
    found = get_object_or_404(Host, name=host)
    done = say(
        request,
        lambda: proc_action(found, name, action, user=request.user),
        DONE[action].format(name),
    )
    if done and action == "delete":
        return redirect("web:home")
    return redirect("web:proc", host=host, name=name)


@require_POST
def adopt(request: HttpRequest, host: str, name: str) -> HttpResponse:
    """Give a stray to the swarm that was chosen, or to the one that is called like it."""
    found = get_object_or_404(Host, name=host)
    chosen = request.POST.get("swarm", "")
    swarm = get_object_or_404(Swarm, pk=chosen) if chosen.isdecimal() else None
    owners: list[Swarm] = []
    say(request, lambda: owners.append(adopting.adopt(found, name, swarm, user=request.user)))
    if not owners:
        return redirect("web:proc", host=host, name=name)
    messages.success(
        request, f"{name} is a proc of {owners[0].name} now; dispatch it to test and route it."
    )
    return redirect("web:swarm", owners[0].pk)


@require_POST
def uptest(request: HttpRequest, host: str, name: str) -> HttpResponse:
    """Have the proc's uptests run."""
    found = get_object_or_404(Host, name=host)
    say(
        request,
        lambda: uptest_proc(found, name, user=request.user),
        "The uptests are queued; what they say is shown below.",
    )
    return redirect("web:proc", host=host, name=name)


def _context(host: str, name: str) -> dict[str, object]:
    found = get_object_or_404(Host, name=host)
    proc, state, available = read_proc(host, name)
    owner = read_claims(host).owner(host, name)
    is_stray = proc is not None and owner is Unowned.STRAY
    return {
        "host": found,
        "name": name,
        "proc": proc,
        "group": host_group(state, [], time.time()),
        "swarm": None if isinstance(owner, Unowned) else _swarm(owner),
        "live_available": available,
        "is_ours": proc is not None and owner is not Unowned.FOREIGN,
        "is_stray": is_stray,
        "adopters": _swarms_of_app(name) if is_stray else (),
        "uptests": [] if isinstance(owner, Unowned) else uptests.of_procs([(host, name)]),
        "actions": _OFFERED.get(proc["statename"], ()) if proc else (),
    }


def _swarms_of_app(proc: str) -> list[Swarm]:
    """The swarms that may adopt a stray of that name."""
    name = ProcName.parse(proc)
    app = name.app if name else ""
    return list(Swarm.objects.select_related("app", "squad").filter(app__name=app))


def _swarm(pk: int) -> Swarm | None:
    """None if it was removed a moment ago."""
    return Swarm.objects.filter(pk=pk).select_related("app").first()
