"""Errors as the API answers them: `{"error": sentence, "problems": [...]}` and a 4xx status."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

import redis
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError
from django.db.models import Model
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from ninja import NinjaAPI
from ninja.errors import AuthenticationError

from vr.errors import Busy, InvalidInput, VelociraptorError
from vr.hosts.supervisor import HostUnreachable
from vr.server.records.changes import InUse

log = logging.getLogger(__name__)


class NotFound(VelociraptorError):
    """There is no such object, or no such address."""


class NotAllowed(VelociraptorError):
    """Credentials are fine, but the request is refused: a forged form, for example."""


class HostFault(VelociraptorError):
    """A host's Supervisor refused an action; `message` is its fault."""


_STATUS: tuple[tuple[type[VelociraptorError], int], ...] = (
    (NotFound, 404),
    (NotAllowed, 403),
    (InUse, 409),
    (Busy, 409),
    (HostFault, 500),
    (HostUnreachable, 503),
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


def unauthorized() -> JsonResponse:
    """401, for missing and for wrong credentials alike."""
    sentence = "Log in, or send a token ('Authorization: Bearer …') or a user name and password."
    return JsonResponse(
        {"error": sentence, "problems": [], "status": 401, "msg": sentence},
        status=401,
        headers={"WWW-Authenticate": 'Basic realm="Velociraptor", charset="UTF-8"'},
    )


def sentences(error: ValidationError, target: Model, shown: Mapping[str, str]) -> Iterable[str]:
    """Every problem that the validation of `target` found, each beginning with its field's name.

    `shown` maps the model's field names to those of the API.
    """
    for attribute, found in error.error_dict.items():
        key = shown.get(attribute, attribute)
        prefix = "" if attribute == NON_FIELD_ERRORS else f"{key}: "
        for problem in found:
            if problem.code in {"blank", "null"}:
                yield f"{prefix}{_absence(target, attribute)}"
            else:
                yield from (f"{prefix}{_reworded(problem, text)}" for text in problem.messages)


def _absence(target: Model, attribute: str) -> str:
    """What is said of a missing value: the field's own sentence on it, if it has one."""
    for validator in getattr(target._meta.get_field(attribute), "validators", ()):
        try:
            validator("")
        except ValidationError as error:
            return error.messages[0]
        except TypeError:
            # A validator of numbers.
            continue
    return "is missing or empty"


def _reworded(problem: ValidationError, text: str) -> str:
    """Django's sentences for forms, without 'this field' and 'ensure this value'."""
    match problem.code:
        case "min_value":
            return f"must be {(problem.params or {}).get('limit_value')} or more"
        case "max_value":
            return f"must be {(problem.params or {}).get('limit_value')} or less"
        case "unique":
            return "is taken by another one already"
    return text


def register(api: NinjaAPI) -> None:
    """Make `api` answer with this module's documents, whatever is raised."""

    @api.exception_handler(VelociraptorError)
    def mendable(request: HttpRequest, error: VelociraptorError) -> HttpResponseBase:
        return answer(error)

    @api.exception_handler(AuthenticationError)
    def unknown_user(request: HttpRequest, error: AuthenticationError) -> HttpResponseBase:
        return unauthorized()

    @api.exception_handler(IntegrityError)
    def overtaken(request: HttpRequest, error: IntegrityError) -> HttpResponseBase:
        log.warning("%s %s: %s", request.method, request.path, error)
        sentence = "Somebody changed the same thing at the same moment; nothing was saved."
        return answer(Busy(sentence, hint="Look at it again, then retry."))

    @api.exception_handler(redis.RedisError)
    def no_redis(request: HttpRequest, error: redis.RedisError) -> HttpResponseBase:
        log.error("%s %s: %s", request.method, request.path, error)
        sentence = "The state of procs can't be read now, as Redis does not answer."
        failure = VelociraptorError(sentence, hint="See `vr status`.")
        return JsonResponse(document(failure, 503), status=503)

    @api.exception_handler(Exception)
    def bug(request: HttpRequest, error: Exception) -> HttpResponseBase:
        log.exception("%s %s", request.method, request.path)
        sentence = "This is a bug in Velociraptor, not in your request; the web log has more."
        content = {"error": sentence, "error_message": sentence, "problems": [], "status": 500}
        return JsonResponse(content, status=500)
