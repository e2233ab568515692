"""What can be done to a notifier beside changing it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from vr.server.models import Notifier
from vr.server.notices import asking
from vr.server.web.feedback import say


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a notice to it, once."""
    notifier = get_object_or_404(Notifier, pk=pk)
    say(
        request,
        lambda: asking.test(notifier, user=request.user),
        "A test is on its way; the last notices say what became of it.",
    )
    return redirect("web:notifier", key=pk)
