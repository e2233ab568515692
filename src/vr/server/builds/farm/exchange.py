"""Where stagers get the app's files and bring its droplet: for the attempt that waits for it."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.core.signing import BadSignature, SignatureExpired
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from vr.server.answers import refusal
from vr.server.builds.farm import links
from vr.server.files.download import serve

_FIELD = "upload[droplet]"


@csrf_exempt
async def give(request: HttpRequest) -> HttpResponseBase:
    """GET of the zipped checkout."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    folder = _folder(request)
    if isinstance(folder, HttpResponse):
        return folder
    path = folder / links.APP
    return serve(request, path) if path.is_file() else _over()


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take the form's file, all of it or nothing."""
    folder = _folder(request)
    if isinstance(folder, HttpResponse):
        return folder
    try:
        file = request.FILES.get(_FIELD)
    except MultiPartParserError as error:
        return refusal(400, f"This is no readable form: {error}")
    if file is None:
        return refusal(400, f"The form has no file {_FIELD!r}.")
    new = folder / f".{links.DROPLET}.{secrets.token_hex(4)}"
    try:
        with new.open("xb") as target:
            for chunk in file.chunks():
                target.write(chunk)
        new.replace(folder / links.DROPLET)
    except FileNotFoundError:
        # The build ended, or began anew, while the file came.
        return _over()
    finally:
        new.unlink(missing_ok=True)
    return HttpResponse(status=200)


def _folder(request: HttpRequest) -> Path | HttpResponse:
    """The attempt's folder, or why there is none: 403 if forged, 410 once nobody waits."""
    try:
        folder = links.folder_of(request.headers.get("Authorization", ""))
    except SignatureExpired:
        return refusal(410, "This address has expired.")
    except (BadSignature, ValueError):
        return refusal(403, "This address is not signed by this server.")
    return folder if folder.is_dir() else _over()


def _over() -> HttpResponse:
    return refusal(410, "Nobody waits for this build any more.")
