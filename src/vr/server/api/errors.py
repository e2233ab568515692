"""Whatever is raised below the API becomes one of the server's error documents."""

from __future__ import annotations

import logging

from django.db import IntegrityError
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from ninja import NinjaAPI
from ninja.errors import AuthenticationError

from vr.errors import Busy, VelociraptorError
from vr.server.answers import BUG, answer, unauthorized
from vr.server.outages import sentence_for

log = logging.getLogger(__name__)


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

    @api.exception_handler(Exception)
    def bug(request: HttpRequest, error: Exception) -> HttpResponseBase:
        if (known := sentence_for(error)) is not None:
            log.error("%s %s: %r", request.method, request.path, error)
            return answer(known)
        log.exception("%s %s", request.method, request.path)
        content = {"error": BUG, "error_message": BUG, "problems": [], "status": 500}
        return JsonResponse(content, status=500)
