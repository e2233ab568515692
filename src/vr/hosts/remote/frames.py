"""Messages between the server and the service on a host: a length, then MessagePack.

The length has four bytes, most significant first. A request is `[number, method, arguments]`, its
answer `[number, value]` or `[number, null, error]`; answers come in any order. The service begins
with `[0, {"protocol": …, "version": …}]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

PROTOCOL = 1
"""Raised when either side would misunderstand the other."""

MOST_BYTES = 64 * 1024 * 1024
_LENGTH = 4


class BadFrame(ValueError):
    """What came is no message of this protocol."""


def pack(message: list[Any]) -> bytes:
    """The bytes of a message; raises BadFrame for one that is longer than MOST_BYTES."""
    data = msgspec.msgpack.encode(message)
    if len(data) > MOST_BYTES:
        raise BadFrame(f"a message of {len(data)} bytes, expected {MOST_BYTES} at most")
    return len(data).to_bytes(_LENGTH, "big") + data


class Unpacker:
    """Messages out of bytes that come in pieces."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[list[Any]]:
        """The messages that are complete with these bytes; raises BadFrame."""
        self._pending += data
        while len(self._pending) >= _LENGTH:
            length = int.from_bytes(self._pending[:_LENGTH], "big")
            if length > MOST_BYTES:
                raise BadFrame(f"a message of {length} bytes, expected {MOST_BYTES} at most")
            end = _LENGTH + length
            if len(self._pending) < end:
                return
            body = bytes(self._pending[_LENGTH:end])
            del self._pending[:end]
            yield _message(body)


def _message(body: bytes) -> list[Any]:
    try:
        message = msgspec.msgpack.decode(body)
    except msgspec.DecodeError as error:
        raise BadFrame(f"no MessagePack: {error}") from None
    if not isinstance(message, list) or not message or not isinstance(message[0], int):
        raise BadFrame("expected a list that begins with a number")
    return message
