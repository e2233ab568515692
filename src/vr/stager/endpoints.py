"""The two HTTP endpoints that staging needs, for a client without a server of its own.

As on the Cloud Controller: one address gives the zipped app, the other takes the droplet.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO, Protocol

from vr.files.checksums import CHUNK

_BOUNDARY = re.compile(r'multipart/form-data;.*boundary="?([^";]+)"?')
_LONGEST_HEAD = 64 << 10


@dataclass(frozen=True)
class Endpoints:
    """Addresses; each holds a random part, so that nobody else finds them."""

    download_uri: str
    upload_uri: str


@contextmanager
def endpoints(app_zip: Path, droplet: Path, *, host: str = "127.0.0.1") -> Iterator[Endpoints]:
    """Serve `app_zip`, and put the droplet that is uploaded at `droplet`, while in the block.

    `host` is this machine's address as the stagers see it.
    """
    key = secrets.token_urlsafe(24)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != f"/app/{key}":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/zip")
            self.send_header("Content-Length", str(app_zip.stat().st_size))
            self.end_headers()
            with app_zip.open("rb") as file:
                while chunk := file.read(CHUNK):
                    self.wfile.write(chunk)

        def do_POST(self) -> None:
            if self.path != f"/droplet/{key}":
                self.send_error(404)
                return
            match = _BOUNDARY.match(self.headers.get("Content-Type", ""))
            length = self.headers.get("Content-Length", "")
            if not match or not length.isdigit():
                self.send_error(400)
                return
            new = droplet.with_name(f".{droplet.name}.{secrets.token_hex(4)}")
            try:
                with new.open("xb") as file:
                    copy_part(self.rfile, int(length), match[1].encode(), file)
                new.replace(droplet)
            except ValueError as error:
                self.send_error(400, str(error))
                return
            finally:
                new.unlink(missing_ok=True)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the task's log says it all."""

    server = ThreadingHTTPServer((host, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    address = f"http://{host}:{server.server_port}"
    try:
        yield Endpoints(f"{address}/app/{key}", f"{address}/droplet/{key}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Readable(Protocol):
    """As much of a file as a form is read with."""

    def read(self, size: int, /) -> bytes: ...

    def readline(self, size: int, /) -> bytes: ...


def copy_part(source: Readable, length: int, boundary: bytes, target: BinaryIO) -> None:
    """Copy the content of a form's one part, of `length` bytes in all, without holding it.

    Raises ValueError if the form is not of that shape.
    """
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = source.readline(_LONGEST_HEAD)
        head += line
        if not line or len(head) > _LONGEST_HEAD:
            raise ValueError("the form's part has no header")
    if not head.startswith(b"--" + boundary) or b'name="upload[droplet]"' not in head:
        raise ValueError("the form's first part is not upload[droplet]")
    tail = b"\r\n--" + boundary + b"--\r\n"
    end = b"\r\n--" + boundary
    left = length - len(head) - len(tail)
    before = b""
    while left > 0:
        chunk = source.read(min(left, CHUNK))
        if not chunk:
            raise ValueError("the form ended early")
        if end in before + chunk:
            raise ValueError("the form has more than one part")
        before = chunk[-len(end) :]
        left -= len(chunk)
        target.write(chunk)
    if source.read(len(tail)) != tail:
        raise ValueError("the form does not end with its boundary")
