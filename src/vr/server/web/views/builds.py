"""Builds: the list with its form, and a build's page with the compile log as it grows."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from vr.errors import VelociraptorError
from vr.server.builds.asking import cancel_build, request_build
from vr.server.builds.droplets import keep_upload
from vr.server.files import links, store
from vr.server.models import App, Build, BuildStatus
from vr.server.web.feedback import say
from vr.server.web.forms import BuildForm, UploadForm
from vr.text.terminal import plain

PER_PAGE = 30
# The status by which htmx knows that nothing will change any more; it swaps as for 200.
HTMX_STOP_POLLING = 286
# A page shows the end of a long log; the link beside it gives the whole file.
LOG_BYTES_SHOWN = 256 * 1024


@require_http_methods(["GET", "HEAD", "POST"])
def builds(request: HttpRequest) -> HttpResponse:
    """All builds, newest first, and a form for another."""
    initial = {"app": App.objects.filter(name=request.GET.get("app", "")).first()}
    form = BuildForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        app, tag = form.cleaned_data["app"], form.cleaned_data["tag"]
        try:
            build = request_build(app, tag, user=request.user)
            return redirect("web:build", pk=build.pk)
        except VelociraptorError as error:
            form.add_error(None, str(error))
    return _list(request, form, UploadForm(initial=initial))


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take a droplet as a build; what is wrong with it is said beside the form."""
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        given = form.cleaned_data
        file = given.pop("droplet")
        try:
            kept = keep_upload(given.pop("app"), file, name=file.name, user=request.user, **given)
            return redirect("web:build", pk=kept.build.pk)
        except VelociraptorError as error:
            form.add_error(None, str(error))
    return _list(request, BuildForm(), form)


def _list(request: HttpRequest, form: BuildForm, upload_form: UploadForm) -> HttpResponse:
    found = Build.objects.select_related("app").defer("env_yaml")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "upload_form": upload_form,
        "page": page,
        "has_apps": App.objects.exists(),
    }
    is_answer = form.is_bound or upload_form.is_bound
    return render(request, "web/builds.html", context, status=422 if is_answer else 200)


@require_safe
def build(request: HttpRequest, pk: int) -> HttpResponse:
    """One build: what it is made of, how it went, and its log."""
    found = get_object_or_404(Build.objects.select_related("app", "image"), pk=pk)
    return render(request, "web/build.html", _facts(found) | _log(found))


@require_safe
def facts_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    """The build's state and facts, renewed while it builds."""
    found = get_object_or_404(Build.objects.select_related("app", "image"), pk=pk)
    facts = _facts(found)
    status = 200 if facts["is_open"] else HTMX_STOP_POLLING
    return render(request, "web/parts/build_facts.html", facts, status=status)


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """End a build that has not ended; its page shows how that goes."""
    found = get_object_or_404(Build.objects.select_related("app"), pk=pk)
    say(request, lambda: cancel_build(found, user=request.user))
    return redirect("web:build", pk=pk)


def _facts(found: Build) -> dict[str, Any]:
    is_open = found.status in {BuildStatus.PENDING, BuildStatus.STARTED}
    return {
        "build": found,
        "is_open": is_open,
        "swarms": found.app.swarms.filter(tag=found.tag).select_related("app", "squad"),
    }


def _log(found: Build) -> dict[str, Any]:
    """The end of the compile log as it is now, and the link to the whole."""
    if not found.compile_log:
        return {"log": "", "log_is_cut": False, "log_link": ""}
    try:
        shown, length = store.end(found.compile_log, LOG_BYTES_SHOWN)
    except (OSError, ValueError):
        return {"log": "", "log_is_cut": False, "log_link": ""}
    return {
        "log": plain(shown.decode(errors="replace")),
        "log_is_cut": length > LOG_BYTES_SHOWN,
        "log_link": links.link(found.compile_log),
    }
