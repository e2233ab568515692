"""A swarm: its form, its page, and what can be done to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh, trigger_client_event

from vr.errors import VelociraptorError
from vr.server.answers import InUse
from vr.server.models import App, Dispatch, DispatchStatus, Squad, Swarm
from vr.server.records import changes
from vr.server.records.guards import why_kept
from vr.server.swarming import asking
from vr.server.swarming.pools import preview_url
from vr.server.swarming.releases import previous_release
from vr.server.uptesting.asking import uptest_swarm
from vr.server.web import uptests
from vr.server.web.feedback import say
from vr.server.web.forms import SizeForm, SwarmForm, VersionForm
from vr.server.web.live_state import read_swarm, swarms_without_secrets
from vr.server.web.timeline import timeline
from vr.server.web.views.dashboard import newest_events

HISTORY_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The form of a new swarm, or of one that exists. Swarming saves and dispatches, both or
    neither; `save` alone leaves what runs as it is."""
    swarm = get_object_or_404(Swarm, pk=pk) if pk else None
    form = SwarmForm(request.POST or None, instance=swarm, initial=_initial(request))
    if request.method == "POST" and form.is_valid() and _save(request, form):
        return redirect("web:swarm", pk=form.instance.pk)
    context = {
        "form": form,
        "swarm": swarm,
        "previews": form.previews(),
        "proc_names": ["web", "worker", *_proc_names()],
        "missing": _missing(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/swarm_form.html", context, status=status)


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The compiled config and environment of a form as it is typed."""
    pk = request.POST.get("swarm", "")
    swarm = Swarm.objects.filter(pk=pk).first() if pk.isdecimal() else None
    form = SwarmForm(request.POST, instance=swarm)
    return render(request, "web/parts/config_preview.html", {"previews": form.previews()})


@require_safe
def detail(request: HttpRequest, pk: int, trace_id: str = "") -> HttpResponse:
    """A swarm's page; with a trace id it shows that dispatch in place of the newest."""
    swarm = get_object_or_404(swarms_without_secrets(), pk=pk)
    dispatches = swarm.dispatches.select_related("user", "release").order_by("-id")
    shown = get_object_or_404(dispatches, trace_id=trace_id) if trace_id else dispatches.first()
    full = Swarm.objects.get(pk=pk)
    context = {
        "full": full,
        "newest_trace": _newest_trace(swarm),
        "history": dispatches[:HISTORY_SHOWN],
        "ingredients": full.config_ingredients.order_by("name"),
        "config": _keys(full.compiled_config),
        "env": _keys(full.compiled_env),
        "events": newest_events(trace=shown.trace_id) if shown else [],
        "version_form": VersionForm(initial={"tag": swarm.tag}),
        "size_form": SizeForm(initial={"size": swarm.size}),
        "previous_release": previous_release(full),
        "uptests": uptests.of_swarm(swarm),
    }
    return render(request, "web/swarm.html", context | _progress(swarm, shown) | _live(swarm))


@require_safe
def procs_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    """The swarm's procs as hosts last said; a newer dispatch than `seen` renews the whole page."""
    swarm = get_object_or_404(swarms_without_secrets(), pk=pk)
    if "seen" in request.GET and request.GET["seen"] != _newest_trace(swarm):
        return HttpResponseClientRefresh()
    return render(request, "web/parts/swarm_procs.html", _live(swarm))


@require_safe
def uptests_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    """What the uptests of the swarm's procs said last."""
    swarm = get_object_or_404(swarms_without_secrets(), pk=pk)
    return render(request, "web/parts/uptests.html", {"uptests": uptests.of_swarm(swarm)})


@require_safe
def progress_fragment(request: HttpRequest, trace_id: str) -> HttpResponse:
    """The steps of a dispatch, and why it failed if it did."""
    found = Dispatch.objects.select_related("swarm__app", "user", "release")
    shown = get_object_or_404(found, trace_id=trace_id)
    response = render(request, "web/parts/progress.html", _progress(shown.swarm, shown))
    if not shown.is_open:
        # The rest of the page shows what the dispatch has changed.
        trigger_client_event(response, "vr:ended", after="settle")
    return response


@require_POST
def dispatch(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring the swarm to the version that was given."""
    swarm = get_object_or_404(Swarm.objects.select_related("app", "squad"), pk=pk)
    form = VersionForm(request.POST)
    if not form.is_valid():
        for field, problems in form.errors.items():
            for problem in problems:
                what = "The version" if field == "tag" else f"{form.fields[field].label}:"
                messages.error(request, f"{what} {problem}")
        return redirect("web:swarm", pk=pk)
    tag, manner = form.cleaned_data["tag"], form.manner
    say(request, lambda: asking.dispatch(swarm, user=request.user, tag=tag, manner=manner))
    return redirect("web:swarm", pk=pk)


@require_POST
def scale(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring the swarm to the number of procs that was given."""
    swarm = get_object_or_404(Swarm.objects.select_related("app", "squad"), pk=pk)
    form = SizeForm(request.POST)
    if not form.is_valid():
        for problem in form.errors.get("size", []):
            messages.error(request, f"Size: {problem}")
        return redirect("web:swarm", pk=pk)
    size = form.cleaned_data["size"]
    say(request, lambda: asking.scale(swarm, size, user=request.user))
    return redirect("web:swarm", pk=pk)


@require_POST
def rollback(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring the swarm back to the release before the one it runs."""
    swarm = get_object_or_404(Swarm.objects.select_related("app", "squad"), pk=pk)
    say(request, lambda: asking.rollback(swarm, user=request.user))
    return redirect("web:swarm", pk=pk)


@require_POST
def uptest(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the uptests of the swarm's procs run."""
    swarm = get_object_or_404(Swarm.objects.select_related("app"), pk=pk)
    say(
        request,
        lambda: uptest_swarm(swarm, user=request.user),
        "The uptests are queued; what they say is shown below.",
    )
    return redirect("web:swarm", pk=pk)


@require_POST
def cancel(request: HttpRequest, trace_id: str) -> HttpResponse:
    """End a dispatch and undo what it did; its page shows how that goes."""
    found = get_object_or_404(Dispatch.objects.select_related("swarm__app"), trace_id=trace_id)
    say(request, lambda: asking.cancel(found, user=request.user))
    return redirect("web:swarm", pk=found.swarm_id)


@require_POST
def route(request: HttpRequest, trace_id: str) -> HttpResponse:
    """Let a dispatch go on that is held; its page shows how that goes."""
    found = get_object_or_404(Dispatch.objects.select_related("swarm__app"), trace_id=trace_id)
    say(request, lambda: asking.route(found, user=request.user))
    return redirect("web:swarm", pk=found.swarm_id)


@require_POST
def retry(request: HttpRequest, trace_id: str) -> HttpResponse:
    """Try again what a dispatch was to do that failed."""
    found = get_object_or_404(
        Dispatch.objects.select_related("swarm__app", "swarm__squad"), trace_id=trace_id
    )
    say(request, lambda: asking.retry(found, user=request.user))
    return redirect("web:swarm", pk=found.swarm_id)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then forget the swarm. One whose procs still run, or may, is kept."""
    swarm = get_object_or_404(swarms_without_secrets(), pk=pk)
    kept = why_kept(swarm)
    obstacle = changes.refusal(swarm, kept) if kept else ""
    if request.method == "POST" and not obstacle:
        try:
            changes.delete(swarm, user=request.user)
        except InUse as error:
            obstacle = str(error)
        else:
            messages.success(request, f"The swarm {swarm.name} is gone.")
            return redirect("web:home")
    context = {"what": f"the swarm {swarm.name}", "obstacle": obstacle, "back": swarm}
    status = 409 if request.method == "POST" else 200
    return render(request, "web/swarm_delete.html", context, status=status)


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What a link to the form may choose in advance: the app; and the only squad there is."""
    initial: dict[str, Any] = {}
    if app := request.GET.get("app"):
        initial["app"] = App.objects.filter(name=app).first()
    squads = Squad.objects.all()[:2]
    if len(squads) == 1:
        initial["squad"] = squads[0]
    return initial


def _save(request: HttpRequest, form: SwarmForm) -> bool:
    """Save, and dispatch unless only saving was asked for; False leaves all as it was, with the
    reason in the form."""
    swarm = form.instance
    was_new = swarm.pk is None
    try:
        with transaction.atomic():
            changes.save(swarm, user=request.user, write=form.save)
            if "save" not in request.POST:
                asking.dispatch(swarm, user=request.user)
    except VelociraptorError as error:
        if was_new:
            swarm.pk = None
        form.add_error(None, str(error))
        return False
    if "save" in request.POST:
        messages.success(request, f"{swarm.name} is saved; what runs is as it was.")
    return True


def _missing() -> list[tuple[str, str]]:
    """What must be there before a swarm can be made: (where to add it, sentence)."""
    found = []
    if not App.objects.exists():
        found.append((reverse("web:app_add"), "There is no app yet."))
    if not Squad.objects.exists():
        found.append((reverse("web:squad_add"), "There is no squad yet."))
    return found


def _proc_names() -> list[str]:
    names = Swarm.objects.order_by().values_list("proc_name", flat=True).distinct()
    return [name for name in names if name not in {"web", "worker"}]


def _live(swarm: Swarm) -> dict[str, Any]:
    node, available = read_swarm(swarm)
    return {"swarm": swarm, "node": node, "live_available": available}


def _newest_trace(swarm: Swarm) -> str:
    newest = swarm.dispatches.order_by("-id").values_list("trace_id", flat=True).first()
    return newest or ""


def _progress(swarm: Swarm, shown: Dispatch | None) -> dict[str, Any]:
    stages = timeline(list(shown.steps.all()), is_open=shown.is_open) if shown else []
    can_cancel = (
        shown is not None and shown.cancel_asked is None and not asking.why_not_cancelled(shown)
    )
    is_held = shown is not None and shown.status == DispatchStatus.HELD
    return {
        "swarm": swarm,
        "dispatch": shown,
        "stages": stages,
        "can_cancel": can_cancel,
        "is_held": is_held,
        "preview_url": preview_url(shown.swarm) if shown and is_held else "",
        "can_retry": shown is not None and not shown.is_open and not asking.why_not_retried(shown),
    }


def _keys(compile_mapping: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = compile_mapping()
    except ValidationError:
        return {}
    return found
