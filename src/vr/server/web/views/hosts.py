"""A host's machine: what the server installed there, and what is being done to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from vr.errors import VelociraptorError
from vr.hosts.remote.ssh import fingerprint
from vr.server.hosting import asking
from vr.server.hosts import this_machine
from vr.server.models import Host
from vr.server.web.forms import PrepareForm
from vr.server.web.views.builds import HTMX_STOP_POLLING


def machine_of(host: Host) -> dict[str, Any]:
    """What the panel of a host's page shows."""
    return {
        "host": host,
        "is_here": this_machine().is_called(host.name),
        "fingerprint": fingerprint(host.host_key) if host.host_key else "",
        "job": host.jobs.first(),
        "prepare_form": PrepareForm(),
    }


@require_safe
def machine_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    """The panel, renewed while something is being done."""
    panel = machine_of(get_object_or_404(Host, pk=pk))
    is_open = panel["job"] is not None and panel["job"].is_open
    status = 200 if is_open else HTMX_STOP_POLLING
    return render(request, "web/parts/host_machine.html", panel, status=status)


@require_POST
def prepare(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin to make the machine a host, or to upgrade it; its page shows how that goes."""
    form = PrepareForm(request.POST)
    form.is_valid()
    return _begun(
        request, pk, lambda host: asking.prepare(host, user=request.user, **form.cleaned_data)
    )


@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin to look whether the host can be reached and can run procs."""
    return _begun(request, pk, lambda host: asking.check(host, user=request.user))


def _begun(request: HttpRequest, pk: int, begin: Callable[[Host], object]) -> HttpResponse:
    host = get_object_or_404(Host, pk=pk)
    try:
        begin(host)
    except VelociraptorError as error:
        messages.error(request, str(error))
    return redirect("web:host", key=host.pk)
