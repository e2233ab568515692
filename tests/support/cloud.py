"""What the Cloud Controller was to a stager: a real HTTP server that gives apps and takes droplets.

`/app/NAME` gives what was put there; `/droplet/NAME` takes a droplet, as the original's client did.
Other addresses misbehave in the ways that servers do.
"""

from __future__ import annotations

import base64
import io
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.waiting import until
from vr.stager.endpoints import copy_part

LOGIN = ("cc", "p@ss:w/rd")


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip file; texts that begin with #! become executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6))
            entry.create_system = 3
            entry.external_attr = (0o755 if content[:2] in ("#!", b"#!") else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


class Cloud:
    """`apps` are given out, `droplets` were taken, `uploads` counts them by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.apps: dict[str, bytes] = {}
        self.uploads: dict[str, int] = {}
        self.gate = threading.Event()
        """Downloads from /gated/NAME wait for it."""
        self.waiting = 0
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                cloud.serve(self)

            def do_POST(self) -> None:
                cloud.take(self)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str, *, login: str = "") -> str:
        return f"http://{login}127.0.0.1:{self.port}/{path}"

    def droplet(self, name: str) -> Path:
        return self.folder / f"{name}.tgz"

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    def until_waiting(self, count: int) -> None:
        until(lambda: self.waiting >= count, f"{count} downloads wait at the gate")

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        kind, _slash, name = request.path.lstrip("/").partition("/")
        try:
            if kind == "gated":
                self.waiting += 1
                self.gate.wait(60)
                self.waiting -= 1
                self._give(request, self.apps[name])
            elif kind == "private" and not _logged_in(request):
                request.send_error(401)
            elif kind in {"app", "private"} and name in self.apps:
                self._give(request, self.apps[name])
            elif kind == "redirect":
                request.send_response(302)
                request.send_header("Location", self.url(f"app/{name}"))
                request.end_headers()
            elif kind == "status":
                request.send_error(int(name))
            elif kind == "cut":
                request.send_response(200)
                request.send_header("Content-Length", "1000")
                request.end_headers()
                request.wfile.write(b"PK")
            elif kind == "claims":
                request.send_response(200)
                request.send_header("Content-Length", name)
                request.end_headers()
            elif kind == "endless":
                request.send_response(200)
                request.end_headers()
                while not self.gate.is_set():
                    request.wfile.write(b"x" * 65536)
            elif kind == "dripping":
                request.send_response(200)
                request.end_headers()
                while not self.gate.wait(0.1):
                    request.wfile.write(b"x")
                    request.wfile.flush()
            elif kind == "silent":
                self.gate.wait(60)
            elif kind == "rubbish":
                request.wfile.write(b"this is no HTTP\r\n\r\n")
            else:
                request.send_error(404)
        except (BrokenPipeError, ConnectionResetError):
            request.close_connection = True

    def take(self, request: BaseHTTPRequestHandler) -> None:
        kind, _slash, name = request.path.lstrip("/").partition("/")
        length = int(request.headers["Content-Length"])
        if kind == "private" and not _logged_in(request):
            request.rfile.read(length)
            request.send_error(401)
            return
        if kind not in {"droplet", "private"}:
            request.rfile.read(length)
            self.serve(request)
            return
        boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
        buffer = io.BytesIO()
        copy_part(request.rfile, length, boundary, buffer)
        self.droplet(name).write_bytes(buffer.getvalue())
        self.uploads[name] = self.uploads.get(name, 0) + 1
        request.send_response(200)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _give(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def _logged_in(request: BaseHTTPRequestHandler) -> bool:
    expected = base64.b64encode(":".join(LOGIN).encode()).decode()
    return request.headers.get("Authorization") == f"Basic {expected}"


@contextmanager
def cloud(folder: Path) -> Iterator[Cloud]:
    folder.mkdir(parents=True, exist_ok=True)
    running = Cloud(folder)
    try:
        yield running
    finally:
        running.close()
