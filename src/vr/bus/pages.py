"""A small web server for a service's own pages, for those who know user and password."""

from __future__ import annotations

import base64
import hmac
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import msgspec

from vr.errors import VelociraptorError

_PATIENCE_SECONDS = 30.0
"""Of a connection that says nothing."""


class WebSettings(msgspec.Struct, frozen=True):
    """Where pages are served, and to whom; what is left out is chosen at each start."""

    port: int = 0
    user: str = ""
    password: str = ""


@dataclass(frozen=True)
class Page:
    """An answer; a file is sent to its end, and closed."""

    content: bytes | BinaryIO
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200


@dataclass(frozen=True)
class Place:
    """Where pages are: what others are told."""

    host: str
    port: int
    credentials: tuple[str, str]


Pages = Callable[[str], Page]
"""From a decoded path to its page; called from several threads."""


@contextmanager
def pages_served(pages: Pages, host: str, settings: WebSettings) -> Iterator[Place]:
    """Serve `pages` on the address `host` while in the block.

    Raises VelociraptorError if the port can't be had.
    """
    user, password = settings.user or secrets.token_hex(8), settings.password or secrets.token_hex()
    expected = b"Basic " + base64.b64encode(f"{user}:{password}".encode())

    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE_SECONDS

        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "").encode(errors="replace")
            if not hmac.compare_digest(given, expected):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="vcap"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._send(pages(unquote(urlsplit(self.path).path)))

        def _send(self, page: Page) -> None:
            self.send_response(page.status)
            self.send_header("Content-Type", page.content_type)
            # The end of the connection is the end of the page: a log may grow meanwhile.
            self.end_headers()
            if isinstance(page.content, bytes):
                self.wfile.write(page.content)
                return
            with page.content as file:
                shutil.copyfileobj(file, self.wfile)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: paths may tell secrets."""

    try:
        server = ThreadingHTTPServer((host, settings.port), Handler)
    except OSError as error:
        raise VelociraptorError(
            f"Pages can't be served at {host}:{settings.port}: {error.strerror or error}.",
            hint="Correct host, status.port or filer_port in the configuration.",
        ) from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield Place(host, server.server_port, (user, password))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
