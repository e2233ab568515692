"""Who may send more than a stranger may: known before the body is read, by the headers alone."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.asgi import ASGIRequest
from django.core.signing import BadSignature
from django.db import connections
from django.http import HttpRequest, HttpResponse

from vr.server.access.authentication import user_of
from vr.server.answers import answer, readable, refusal, unauthorized
from vr.server.builds.farm import links
from vr.server.outages import sentence_for


async def why_not(scope: dict[str, Any]) -> HttpResponse | None:
    """The refusal for whoever sends the ASGI request `scope`; None for users, by whatever
    credentials, and for stagers at the address that they were given."""
    async with ThreadSensitiveContext():
        return await sync_to_async(_why_not)(scope)


def _why_not(scope: dict[str, Any]) -> HttpResponse | None:
    request = ASGIRequest(scope, BytesIO())
    try:
        if request.path.startswith(links.PREFIX):
            return _stager_refused(request)
        return None if _is_known(request) else readable(request.path, unauthorized())
    except Exception as error:
        if (known := sentence_for(error)) is None:
            raise
        return readable(request.path, answer(known))
    finally:
        connections.close_all()


def _is_known(request: HttpRequest) -> bool:
    """Whether a user sends it. The token of a form against forgery is in its body, and looked at
    by whoever reads that."""
    SessionMiddleware(_nothing).process_request(request)
    AuthenticationMiddleware(_nothing).process_request(request)
    if request.headers.get("Authorization"):
        return user_of(request) is not None
    return bool(request.user.is_authenticated)


def _stager_refused(request: HttpRequest) -> HttpResponse | None:
    try:
        links.folder_of(request.headers.get("Authorization", ""))
    except (BadSignature, ValueError):
        return refusal(403, "This address is not signed by this server, or has expired.")
    return None


def _nothing(_: HttpRequest) -> HttpResponse:
    return HttpResponse()
