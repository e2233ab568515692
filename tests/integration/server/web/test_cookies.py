"""Which cookies of the pages a browser gives to apps, and which of apps' it gives to the pages."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from support.ports import free_port
from support.redis_server import redis_server
from support.servers import serving
from support.tls import certificate
from support.web_server import WebServer, web_server

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP *.example.org 127.0.0.1",
]
UI, APP = "vr.example.org", "shop.example.org"
# What an app may try: cookies as the pages call them, for itself and for the domain above.
TOSSED = [
    f"{name}={'a' * 32}; Path={path}; Domain=example.org; Secure"
    for name in ("__Host-vr_session", "__Host-vr_csrf", "vr_session", "vr_csrf")
    for path in ("/", "/login/")
]
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here")


@dataclass(frozen=True)
class Installation:
    """The pages, and an app that shows the cookies it is sent, at a host name each."""

    ui: str
    app: str


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="module")
def installation(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Both behind an nginx with TLS, as docs/api.md shows it."""
    folder = tmp_path_factory.mktemp("tls")
    ui_port, app_port = free_port(), free_port()
    origin = f"https://{UI}:{ui_port}"
    with web_server(folder / "vr", redis_url, {"VR_TRUSTED_ORIGINS": origin}) as server:
        _add_user(server)
        config = folder / "nginx.conf"
        config.write_text(_nginx(folder, server.url, ui_port, app_port))
        process = subprocess.Popen(
            ["nginx", "-c", str(config), "-e", str(folder / "error.log")],
            stdin=subprocess.DEVNULL,
            env={"PATH": f"{os.environ['PATH']}:/usr/sbin"},
        )
        with serving(process, lambda: _answers(app_port), "nginx"):
            yield Installation(origin, f"https://{APP}:{app_port}")


def _nginx(folder: Path, server: str, ui_port: int, app_port: int) -> str:
    public, key = certificate(folder, "*.example.org")
    tossing = "".join(f"      add_header Set-Cookie '{cookie}';\n" for cookie in TOSSED)
    return f"""\
daemon off;
pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  ssl_certificate {public};
  ssl_certificate_key {key};
  server {{
    listen 127.0.0.1:{ui_port} ssl;
    location / {{
      proxy_pass {server};
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
  server {{
    listen 127.0.0.1:{app_port} ssl;
    location / {{ return 200 "[$http_cookie]"; }}
    location /toss {{
{tossing}
      return 200 "tossed";
    }}
  }}
}}
"""


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"https://127.0.0.1:{port}/", verify=False).is_success
    except httpx.TransportError:
        return False


def _add_user(server: WebServer) -> None:
    server.python(
        "from django.contrib.auth.models import User\n"
        "User.objects.create_superuser('ada', password='raptor-demo')"
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def _page(browser: Browser) -> Page:
    return browser.new_context(ignore_https_errors=True).new_page()


def _log_in(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill("raptor-demo")
    page.get_by_role("button", name="Log in").click()
    _see_dashboard(page)


def _see_dashboard(page: Page) -> None:
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible(timeout=30_000)


def test_an_app_beside_the_pages_is_sent_none_of_their_cookies(
    browser: Browser, installation: Installation
) -> None:
    page = _page(browser)
    _log_in(page, installation.ui)
    assert {one["name"] for one in page.context.cookies()} == {
        "__Host-vr_session",
        "__Host-vr_csrf",
    }
    page.goto(installation.app)
    assert page.text_content("body") == "[]"
    page.context.close()


def test_an_app_beside_the_pages_sets_none_that_they_read(
    browser: Browser, installation: Installation
) -> None:
    page = _page(browser)
    page.goto(f"{installation.app}/toss")
    # The browser refuses the names with the prefix; the others it sends, and nobody reads them.
    named = {one["name"] for one in page.context.cookies()}
    assert named == {"vr_session", "vr_csrf"}
    _log_in(page, installation.ui)
    page.goto(f"{installation.app}/toss")
    page.goto(installation.ui)
    _see_dashboard(page)
    page.context.close()


def test_without_tls_an_app_by_its_pool_is_sent_none_and_sets_none(
    browser: Browser, redis_url: str, tmp_path: Path
) -> None:
    """Chromium takes no cookie for the whole of localhost."""
    with web_server(tmp_path / "vr", redis_url) as server:
        _add_user(server)
        page = _page(browser)
        for host in ("127.0.0.1", "localhost"):
            ui = server.url.replace("127.0.0.1", host)
            app = server.url.replace("127.0.0.1", "shop.localhost")
            _log_in(page, ui)
            # Whoever answers there: the browser decides by the name alone.
            with page.expect_request(f"{app}/login/") as asked:
                page.goto(f"{app}/login/")
            sent = asked.value.all_headers().get("cookie", "")
            assert "vr_session" not in sent, host
            page.evaluate("document.cookie = 'vr_session=a; domain=localhost; path=/'")
            page.evaluate("document.cookie = 'vr_csrf=a; domain=.localhost; path=/login/'")
            set_by = {one["domain"] for one in page.context.cookies() if one["value"] == "a"}
            assert not set_by, host
            # Still logged in: not sent to the login.
            assert page.request.get(ui, max_redirects=0).status == 200, host
            page.context.clear_cookies()
        page.context.close()
