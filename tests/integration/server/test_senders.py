"""Who may send a large body is known before it is read: by the real web process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from support.web_server import WebServer, web_server

ANNOUNCED = 1 << 29
OTHERS_BYTES = 16 << 20
DOORS = [
    ("POST", "/api/v1/builds/upload/", 401),
    ("POST", "/build/upload/", 401),
    ("POST", "/files/farm/droplet.tgz", 403),
    ("POST", "/login/", 413),
    ("PUT", "/nowhere", 413),
    ("POST", "/api/v1/apps/", 413),
]


@pytest.fixture(scope="module")
def web(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with web_server(tmp_path_factory.mktemp("senders") / "vr", redis_url) as server:
        server.python(
            "from django.contrib.auth.models import User\n"
            "user = User.objects.create_user('rex', password='rawr: yes')\n"
            "App.objects.create(name='shop', repo_url='/srv/shop')\n"
        )
        yield server


@pytest.fixture
def token(web: WebServer) -> str:
    return web.python(
        "from django.contrib.auth.models import User\n"
        "print(ApiToken.issue(User.objects.get(), 'test'))"
    )


def head_only(web: WebServer, method: str, path: str, *headers: str) -> bytes:
    """What is answered to the head of a request whose body never comes."""
    address = urlsplit(web.url)
    with socket.create_connection((address.hostname, address.port or 80), 10) as connection:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {address.netloc}", *headers, "", ""]
        connection.sendall("\r\n".join(lines).encode())
        return connection.recv(1 << 16)


@pytest.mark.parametrize(("method", "path", "status"), DOORS)
def test_a_stranger_is_refused_while_the_body_is_still_to_come(
    web: WebServer, method: str, path: str, status: int
) -> None:
    answer = head_only(web, method, path, f"Content-Length: {ANNOUNCED}")
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("path", ["/api/v1/apps/", "/login/", "/api/v1/builds/upload/"])
def test_strangers_post_no_forms_of_a_megabyte(web: WebServer, path: str) -> None:
    for headers in ([], ["Authorization: Bearer wrong"], ["Cookie: vr_session=wrong"]):
        answer = head_only(web, "POST", path, "Content-Length: 1000000", *headers)
        assert answer.startswith(b"HTTP/1.1 401 "), headers


def test_a_client_that_sends_on_still_reads_why(web: WebServer) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(640):
            yield b"x" * (1 << 16)

    for body in (endless(), b"x" * OTHERS_BYTES):
        answer = httpx.post(f"{web.url}/api/v1/apps/", content=body, timeout=20)
        assert answer.status_code == 401
        assert "token" in answer.json()["error"]


def test_users_send_what_is_within_the_limit(web: WebServer, token: str) -> None:
    large = b'{"name": "' + b"x" * 15_000_000 + b'"}'
    ways = (
        {"headers": {"Authorization": f"Bearer {token}"}},
        {"auth": ("rex", "rawr: yes")},
    )
    for way in ways:
        answer = httpx.post(f"{web.url}/api/v1/apps/", content=large, timeout=20, **way)  # type: ignore[arg-type]
        assert answer.status_code == 400, answer.text[:300]
        assert "too long" in answer.json()["error"]


def test_a_session_uploads_by_the_form(web: WebServer, tmp_path: Path) -> None:
    with httpx.Client(base_url=web.url, follow_redirects=True, timeout=20) as browser:
        browser.get("/login/")
        form = {"csrfmiddlewaretoken": browser.cookies["vr_csrf"]}
        browser.post("/login/", data=form | {"username": "rex", "password": "rawr: yes"})
        form = {"csrfmiddlewaretoken": browser.cookies["vr_csrf"], "app": "1", "tag": "v1"}
        sent = browser.post(
            "/build/upload/", data=form, files={"droplet": ("x.tgz", b"x" * 1_000_000)}
        )
        assert sent.status_code == 422
        assert "droplet" in sent.text
