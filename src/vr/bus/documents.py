"""JSON objects as they come over the bus: from anyone, in any shape."""

from __future__ import annotations

from typing import Any

import msgspec

from vr.errors import InvalidInput


def decode_object(data: bytes, where: str) -> dict[str, Any]:
    """The JSON object in `data`; raises InvalidInput naming `where`."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(where, [f"is not valid JSON: {error}"]) from None
    if not isinstance(document, dict):
        raise InvalidInput(where, [f"must be a JSON object, but is a {type(document).__name__}"])
    return document


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty one: for fields that are checked elsewhere."""
    return value if isinstance(value, dict) else {}
