"""Whatever refuses a program's request, the answer is a document as the API's own are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from vr.server.answers import BUG, PROGRAMS, refusal

_JSON = "application/json"
# Of what was said instead; other headers, such as Allow, stay true.
_REPLACED = {"content-type", "content-length"}


class JsonRefusals:
    """Middleware: where programs ask, what Django and its helpers say in HTML, or not at all,
    becomes JSON."""

    sync_capable = async_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
    ) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._later(request)
        return _as_json(request, self._get_response(request))  # type: ignore[arg-type]

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        return _as_json(request, await self._get_response(request))  # type: ignore[misc]


def _as_json(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    is_told = response.get("Content-Type", "").startswith(_JSON)
    if response.status_code < 400 or is_told or not request.path.startswith(PROGRAMS):
        return response
    told = _document(request, response)
    for name, value in response.headers.items():
        if name.lower() not in _REPLACED:
            told.headers[name] = value
    told.cookies = response.cookies
    return told


def _document(request: HttpRequest, response: HttpResponseBase) -> JsonResponse:
    status, path = response.status_code, request.path
    match status:
        case 400 if wrong := _wrong_host(request):
            return refusal(400, wrong, hint="VR_ALLOWED_HOSTS lists the names that are right.")
        case 404:
            return refusal(404, f"There is nothing at {path}.")
        case 405:
            sentence = f"{request.method} is not possible at {path}."
            return refusal(405, sentence, hint=f"What is: {response.get('Allow', 'nothing')}.")
        case _ if status >= 500:
            return refusal(status, BUG)
    return refusal(status, f"The request is refused: {response.reason_phrase}.")


def _wrong_host(request: HttpRequest) -> str:
    try:
        request.get_host()
    except DisallowedHost:
        return "This server is not called by the host name of the request."
    return ""
