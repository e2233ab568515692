"""Uploads: a droplet becomes a build (a form of type multipart/form-data)."""

from __future__ import annotations

from http import HTTPMethod
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from ninja import Router

from vr.errors import InvalidInput
from vr.server.api.openapi.operations import LOCATION, Answer, operation
from vr.server.builds.droplets import keep_upload
from vr.server.resources import APPS, BUILDS
from vr.server.resources.fields import Answering
from vr.server.resources.links import find_linked
from vr.server.resources.shapes import component, record

router = Router(tags=["builds"])

_FILE = "droplet"
_WHERE = "upload"
_PROPERTIES = {
    "app": {"type": "string", "description": "its name, id or path"},
    "tag": {"type": "string", "description": "else the first digits of the droplet's MD5"},
    "runtime": {"type": "string", "description": "else what the droplet says, such as ruby"},
    _FILE: {"type": "string", "format": "binary"},
}
_SCHEMA = record(_PROPERTIES, optional={"tag", "runtime"})


@router.post(
    "/upload/",
    operation_id="builds_upload",
    openapi_extra=operation(
        HTTPMethod.POST,
        {
            201: Answer("the new build", component("Build"), headers=LOCATION),
            200: Answer("the build that was there already", component("Build"), headers=LOCATION),
        },
        body=_SCHEMA,
        content_type="multipart/form-data",
    ),
)
def upload(request: HttpRequest) -> Any:
    """Keep a droplet as a build of `app` at `tag`, ready to be swarmed.

    201 with the build; 200 if the same droplet was uploaded for that tag before.
    """
    try:
        form, files = request.POST, request.FILES
    except MultiPartParserError as error:
        raise InvalidInput(_WHERE, [f"is no readable form: {error}"]) from None
    problems = []
    app = None
    try:
        app = find_linked(APPS, form.get("app") or "")
    except ValueError as error:
        problems.append(f"app: {error}" if form.get("app") else "app: is missing")
    file = files.get(_FILE)
    if file is None:
        problems.append(f"{_FILE}: is missing; send the droplet as the form's file {_FILE!r}")
    if problems or app is None or file is None:
        raise InvalidInput(_WHERE, problems)
    kept = keep_upload(
        app,
        file,
        name=file.name or _FILE,
        tag=form.get("tag", ""),
        runtime=form.get("runtime", ""),
        user=request.auth,  # type: ignore[attr-defined]
    )
    return JsonResponse(
        BUILDS.dump(kept.build, Answering(request)),
        status=201 if kept.is_new else 200,
        headers={"Location": BUILDS.uri(kept.build)},
    )
