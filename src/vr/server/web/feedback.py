"""How the outcome of an action reaches the person who asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from vr.errors import VelociraptorError


def say(request: HttpRequest, action: Callable[[], Any], done: str = "") -> bool:
    """Carry out `action`; its VelociraptorError becomes a message on the next page, `done` (if
    any) the message when all went well. Returns whether it did."""
    try:
        action()
    except VelociraptorError as error:
        messages.error(request, "\n".join(filter(None, [str(error), error.details])))
        return False
    if done:
        messages.success(request, done)
    return True
