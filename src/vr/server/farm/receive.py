"""Where stagers bring their droplets: signed, for the attempt that waits for it, all or nothing."""

from __future__ import annotations

import secrets

from django.core.signing import BadSignature, SignatureExpired
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from vr.server.farm import links

_FIELD = "upload[droplet]"


@csrf_exempt
@require_POST
def receive(request: HttpRequest, signature: str) -> HttpResponse:
    """Take the form's file; 403 for a forged address, 410 once nobody waits for it any more."""
    try:
        folder = links.folder_of(signature)
    except SignatureExpired:
        return _refusal(410, "This address has expired.")
    except (BadSignature, ValueError):
        return _refusal(403, "This address is not signed by this server.")
    if not folder.is_dir():
        return _refusal(410, "Nobody waits for this droplet any more.")
    try:
        file = request.FILES.get(_FIELD)
    except MultiPartParserError as error:
        return _refusal(400, f"This is no readable form: {error}")
    if file is None:
        return _refusal(400, f"The form has no file {_FIELD!r}.")
    new = folder / f".{links.DROPLET}.{secrets.token_hex(4)}"
    try:
        with new.open("xb") as target:
            for chunk in file.chunks():
                target.write(chunk)
        new.replace(folder / links.DROPLET)
    except FileNotFoundError:
        # The build ended, or began anew, while the file came.
        return _refusal(410, "Nobody waits for this droplet any more.")
    finally:
        new.unlink(missing_ok=True)
    return HttpResponse(status=200)


def _refusal(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"error": sentence, "problems": []}, status=status)
