"""Bodies of requests: JSON objects, whatever the content type says."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from vr.errors import InvalidInput

_WHERE = "request body"


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The object in the body; an empty body is an empty object.

    Raises InvalidInput if it is something else.
    """
    try:
        text = request.body.strip()
    except RequestDataTooBig:
        raise InvalidInput(_WHERE, ["is too large"]) from None
    if not text:
        return {}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_WHERE, [f"is not JSON: {error}"]) from None
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # JSON can write one as \ud800; neither database nor file system can keep it.
        raise InvalidInput(_WHERE, ["holds half a character (a lone surrogate)"]) from None
    if not isinstance(data, dict):
        raise InvalidInput(_WHERE, [f"is a JSON {type(data).__name__}, but an object is expected"])
    return data
