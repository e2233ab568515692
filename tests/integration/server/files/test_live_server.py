"""Files sent by the real web process, alone and behind an nginx that has the store."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.nginx_server import Nginx, nginx_server
from support.ports import free_port
from support.waiting import until
from support.web_server import WebServer, web_server

LARGE = 300 << 20
ACCEL_PREFIX = "/stored/"
# As docs/api.md shows it.
FRONT = """\
server {{
  listen 127.0.0.1:{port};
  location / {{
    proxy_pass {web};
    proxy_set_header X-Accel-Prefix {prefix};
  }}
  location {prefix} {{
    internal;
    alias {files}/;
  }}
}}
"""


@pytest.fixture(scope="module")
def web(redis_url: str) -> Iterator[WebServer]:
    # Not pytest's folder, which another session closes to nginx's account.
    with (
        tempfile.TemporaryDirectory(prefix="vr-files-") as folder,
        web_server(Path(folder) / "vr", redis_url, {"VR_ACCEL_PREFIX": ACCEL_PREFIX}) as server,
    ):
        Path(folder).chmod(0o711)
        builds = server.home / "files" / "builds"
        builds.mkdir(parents=True)
        (builds / "small one.tar.gz").write_bytes(b"0123456789")
        with (builds / "large.tar.gz").open("wb") as file:
            # A hole: it takes no room on the disk, and is sent as any other file.
            file.truncate(LARGE)
        yield server


@pytest.fixture(scope="module")
def front(web: WebServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an nginx before the web process."""
    with nginx_server(tmp_path_factory.mktemp("front") / "nginx") as nginx:
        url = _add_front(nginx, web)
        until(lambda: _answers(url), "nginx passes requests on")
        yield url


def _add_front(nginx: Nginx, web: WebServer) -> str:
    port = free_port()
    files = web.home / "files"
    (nginx.folder / "pools" / "front.conf").write_text(
        FRONT.format(port=port, web=web.url, prefix=ACCEL_PREFIX, files=files)
    )
    pid = int((nginx.folder / "nginx.pid").read_text())
    os.kill(pid, signal.SIGHUP)
    return f"http://127.0.0.1:{port}"


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/login/").status_code == 200
    except httpx.TransportError:
        return False


def link_to(web: WebServer, name: str) -> str:
    return web.python(
        f"from vr.server.files.links import signed_path\nprint(signed_path({name!r}))"
    )


def peak_memory(pid: int) -> int:
    """The most bytes of memory that the process has held since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) << 10


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def test_a_large_file_is_sent_without_being_held(web: WebServer) -> None:
    httpx.get(f"{web.url}{link_to(web, 'builds/small one.tar.gz')}").raise_for_status()
    forget_peak(web.pid)
    before = peak_memory(web.pid)

    length = 0
    with httpx.stream("GET", f"{web.url}{link_to(web, 'builds/large.tar.gz')}") as answer:
        for chunk in answer.iter_raw(1 << 20):
            length += len(chunk)

    assert length == LARGE
    assert peak_memory(web.pid) - before < 32 << 20


def test_the_end_of_a_large_file_alone(web: WebServer) -> None:
    answer = httpx.get(
        f"{web.url}{link_to(web, 'builds/large.tar.gz')}",
        headers={"Range": f"bytes={LARGE - 5}-"},
    )

    assert (answer.status_code, answer.content) == (206, bytes(5))


def test_the_web_process_has_nothing_to_warn_of(web: WebServer) -> None:
    sheet = httpx.get(f"{web.url}/static/vr/tokens.css")
    part = httpx.get(f"{web.url}/static/vr/tokens.css", headers={"Range": "bytes=0-3"})
    httpx.get(f"{web.url}/login/").raise_for_status()

    assert (sheet.status_code, len(sheet.content)) == (200, int(sheet.headers["Content-Length"]))
    assert (part.status_code, part.content) == (206, sheet.content[:4])
    assert "Warning" not in (web.home / "web.log").read_text()


def test_nginx_sends_the_file_itself(web: WebServer, front: str) -> None:
    link = link_to(web, "builds/small one.tar.gz")

    whole = httpx.get(f"{front}{link}")
    part = httpx.get(f"{front}{link}", headers={"Range": "bytes=2-3"})
    head = httpx.head(f"{front}{link}")

    assert (whole.status_code, whole.content) == (200, b"0123456789")
    assert (part.status_code, part.content) == (206, b"23")
    assert (head.status_code, head.headers["Content-Length"]) == (200, "10")
    # The web process handed it over: only nginx writes an ETag like this.
    assert whole.headers["ETag"] != httpx.get(f"{web.url}{link}").headers["ETag"]
    assert "X-Accel-Redirect" not in whole.headers
    assert httpx.get(f"{front}{ACCEL_PREFIX}builds/small%20one.tar.gz").status_code == 404
    assert httpx.get(f"{front}{link}x").status_code == 200, "the name is only for people"
    assert httpx.get(f"{front}/files/forged/small.tar.gz").status_code == 403


def test_only_the_header_of_our_nginx_counts(web: WebServer) -> None:
    link = link_to(web, "builds/small one.tar.gz")

    handed = httpx.get(f"{web.url}{link}", headers={"X-Accel-Prefix": ACCEL_PREFIX})
    sent = httpx.get(f"{web.url}{link}", headers={"X-Accel-Prefix": "/elsewhere/"})

    assert handed.headers["X-Accel-Redirect"] == "/stored/builds/small%20one.tar.gz"
    assert sent.content == b"0123456789"
