"""Refusals as API, streams and downloads answer them: `{"error": sentence, "problems": [...]}`."""

from __future__ import annotations

import json

from django.http import HttpResponse, JsonResponse
from django.utils.html import escape

from vr.errors import Busy, InvalidInput, VelociraptorError
from vr.hosts.supervisor import HostUnreachable


class NotFound(VelociraptorError):
    """There is no such object, or no such address."""


class InUse(VelociraptorError):
    """The object can't be deleted while others need it."""


class Conflict(VelociraptorError):
    """What is asked for doesn't go with the state that the object is in by now."""


class NotAllowed(VelociraptorError):
    """Credentials are fine, but the request is refused: a forged form, for example."""


class Unavailable(VelociraptorError):
    """A part that the answer needs is away or full; nothing was changed."""


class HostFault(VelociraptorError):
    """A host's Supervisor refused an action; `message` is its fault."""


# Where programs ask, and read JSON whatever happens.
PROGRAMS = ("/api/", "/files/")
BUG = "This is a bug in Velociraptor, not in your request; the web log has more."
_STATUS: tuple[tuple[type[VelociraptorError], int], ...] = (
    (NotFound, 404),
    (NotAllowed, 403),
    (InUse, 409),
    (Busy, 409),
    (Conflict, 409),
    (HostFault, 500),
    (HostUnreachable, 503),
    (Unavailable, 503),
)


def document(error: VelociraptorError, status: int) -> dict[str, object]:
    """The JSON of an error; `hint` and `details` only when there are any."""
    problems = error.problems if isinstance(error, InvalidInput) else []
    found: dict[str, object] = {"error": error.message, "problems": problems, "status": status}
    if error.hint:
        found["hint"] = error.hint
    if error.details:
        found["details"] = error.details
    if isinstance(error, HostFault):
        found["fault"] = error.message
    return found


def answer(error: VelociraptorError) -> JsonResponse:
    """The response for something that a user can mend."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
    return JsonResponse(document(error, status), status=status)


def refusal(status: int, sentence: str, *, hint: str = "") -> JsonResponse:
    """The response for a request that ends here, before anything could be raised."""
    return JsonResponse(document(VelociraptorError(sentence, hint=hint), status), status=status)


def readable(path: str, told: JsonResponse) -> HttpResponse:
    """A refusal as whoever asks at `path` reads it: people with a browser get a page."""
    if path.startswith(PROGRAMS):
        return told
    found = json.loads(told.content)
    text = escape(" ".join(filter(None, (found["error"], found.get("hint")))))
    page = f'<!doctype html><html lang="en"><title>Not done</title><p role="alert">{text}</p>'
    return HttpResponse(page, status=told.status_code)


def unauthorized() -> JsonResponse:
    """401, for missing and for wrong credentials alike."""
    sentence = "Log in, or send a token ('Authorization: Bearer …') or a user name and password."
    return JsonResponse(
        {"error": sentence, "problems": [], "status": 401, "msg": sentence},
        status=401,
        headers={"WWW-Authenticate": 'Basic realm="Velociraptor", charset="UTF-8"'},
    )
