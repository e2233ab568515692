"""HTTP/1.1 as bytes: requests out, responses in. No I/O."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024


class BadResponse(Exception):
    """The other side does not speak HTTP, or too much of it."""


class Response(NamedTuple):
    status: int
    body: bytes
    # The connection may be used for the next request.
    reusable: bool


def render_request(
    method: str, target: str, host: str, headers: Mapping[str, str], body: bytes
) -> bytes:
    """One request; `target` is the percent-encoded path with its query."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode("latin-1", "replace") + body


class ResponseParser:
    """Takes the bytes of one response in any pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._body = bytearray()
        self._status = 0
        self._keep_alive = True
        # None until the head is there.
        self._chunked: bool | None = None
        self._length: int | None = None

    @property
    def started(self) -> bool:
        return bool(self._buffer) or self._chunked is not None

    def feed(self, data: bytes) -> Response | None:
        """The response once it is complete; raises BadResponse."""
        self._buffer += data
        while self._chunked is None:
            if not self._read_head():
                return None
        return self._read_chunks() if self._chunked else self._read_plain()

    def end(self) -> Response:
        """The other side has closed: the response, if that is how it ends; else BadResponse."""
        if self._chunked is False and self._length is None:
            return Response(self._status, bytes(self._buffer), False)
        raise BadResponse("the connection was closed in the middle of the answer")

    def _read_head(self) -> bool:
        """Whether to go on: a head was read, an interim one included."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadResponse("the answer's head does not end")
            return False
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        version, _, rest = lines[0].partition(" ")
        status = rest[:3]
        if not version.startswith("HTTP/1.") or not (status.isascii() and status.isdigit()):
            raise BadResponse("the answer is not HTTP")
        self._status = int(status)
        if 100 <= self._status < 200:
            return len(self._buffer) > 0  # its caller reads on: there may be any number of them
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        tokens = headers.get("connection", "").lower()
        self._keep_alive = "close" not in tokens and (
            version != "HTTP/1.0" or "keep-alive" in tokens
        )
        self._chunked = headers.get("transfer-encoding", "").lower().endswith("chunked")
        self._length = _body_length(self._status, headers.get("content-length"))
        return True

    def _read_plain(self) -> Response | None:
        if len(self._buffer) > MAX_BODY:
            raise BadResponse("the answer is too long")
        if self._length is None or len(self._buffer) < self._length:
            return None
        extra = len(self._buffer) > self._length
        body = bytes(self._buffer[: self._length])
        return Response(self._status, body, self._keep_alive and not extra)

    def _read_chunks(self) -> Response | None:
        while True:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                if len(self._buffer) > MAX_HEAD:
                    raise BadResponse("a chunk of the answer has no length")
                return None
            size = _chunk_size(bytes(self._buffer[:end]))
            if len(self._body) + size > MAX_BODY:
                raise BadResponse("the answer is too long")
            if size == 0:
                return self._read_trailer(end)
            if len(self._buffer) < end + 2 + size + 2:
                return None
            self._body += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[: end + 2 + size + 2]

    def _read_trailer(self, last_chunk: int) -> Response | None:
        rest = self._buffer[last_chunk + 2 :]
        if not rest.startswith(b"\r\n") and b"\r\n\r\n" not in rest:
            if len(rest) > MAX_HEAD:
                raise BadResponse("the answer's trailer does not end")
            return None
        return Response(self._status, bytes(self._body), self._keep_alive and rest == b"\r\n")


def _body_length(status: int, header: str | None) -> int | None:
    """None: the body ends with the connection."""
    if status in (204, 304):
        return 0
    if header is None:
        return None
    if not (header.isascii() and header.isdigit()) or len(header) > 15:
        raise BadResponse("the answer's length is not a number")
    if int(header) > MAX_BODY:
        raise BadResponse("the answer is too long")
    return int(header)


def _chunk_size(line: bytes) -> int:
    digits = line.split(b";")[0].strip()
    try:
        if not digits or len(digits) > 8 or digits[:1] in b"+-":
            raise ValueError
        return int(digits, 16)
    except ValueError:
        raise BadResponse("a chunk of the answer has no length") from None
