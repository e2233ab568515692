"""A full disk, a database that somebody holds, a Redis that goes and comes: by real ones."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.redis_server import redis_server
from support.waiting import until
from support.web_server import WebServer, web_server

HEADERS = {"Authorization": "Bearer test-token"}
START = (
    "from django.contrib.auth.models import User\n"
    "ApiToken.issue(User.objects.create_superuser('rex', password='rawr'), 'test', 'test-token')\n"
    "Host.objects.create(name='testhost')\n"
)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def call(web: WebServer, method: str, path: str, **more: Any) -> httpx.Response:
    return httpx.request(method, f"{web.url}{path}", headers=HEADERS, timeout=60, **more)


def said(answer: httpx.Response) -> str:
    """The sentence of an outage, which is never called a bug."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found["hint"] and "bug" not in answer.text
    return str(found["error"])


def add_app(web: WebServer, name: str) -> httpx.Response:
    return call(web, "POST", "/api/v1/apps/", json={"name": name, "repo_url": "/srv/x"})


class People:
    """Somebody who has signed in to the pages, and somebody with `vr`."""

    def __init__(self, web: WebServer) -> None:
        self._web = web
        self._browser = httpx.Client(base_url=web.url, timeout=60, follow_redirects=True)
        self._browser.get("/login/")
        self._send("/login/", username="rex", password="rawr")
        assert "vr_session" in self._browser.cookies

    def close(self) -> None:
        self._browser.close()

    def _send(self, path: str, **fields: str) -> httpx.Response:
        forgery = {"csrfmiddlewaretoken": self._browser.cookies["vr_csrf"]}
        return self._browser.post(path, data=fields | forgery)

    def are_told(self, sentence: str) -> None:
        """Nobody is told less than the API's users when an app can't be saved."""
        # Side by side: a database that is held is waited for.
        with ThreadPoolExecutor() as crew:
            page, done, answer = (
                each.result()
                for each in (
                    crew.submit(
                        *(self._send, "/app/add/"), name="page", repo_url="/srv/x", repo_type="git"
                    ),
                    crew.submit(self._adds_by_command),
                    crew.submit(add_app, self._web, "api"),
                )
            )
        assert page.status_code == 503, page.text
        assert page.headers["content-type"].startswith("text/html")
        assert sentence in page.text and "bug" not in page.text
        assert done.returncode == 1 and sentence in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
        assert sentence in said(answer)

    def _adds_by_command(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "vr"), "apps", "add", "shell", "/srv/x"],
            env=os.environ | {"VR_URL": self._web.url, "VR_TOKEN": "test-token"},
            capture_output=True,
            text=True,
            check=False,
        )


def is_fine(web: WebServer, path: str) -> bool:
    return call(web, "GET", path).status_code == 200


def test_a_full_disk_is_said_and_over_when_there_is_room(disk: Path, redis_url: str) -> None:
    with web_server(disk / "vr", redis_url) as web:
        web.python(START)
        people = People(web)
        with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError):
            while True:
                # To the last byte: SQLite finds room in what its files have already.
                assert filler.write(b"x" * 4096) == 4096
        refused = next(
            (one for n in range(300) if (one := add_app(web, f"a{n}")).status_code != 201), None
        )
        assert refused is not None, "there was room for everything"
        assert "disk is full" in said(refused)
        people.are_told("disk is full")
        people.close()
        # Reading goes on.
        assert call(web, "GET", "/api/v1/apps/").status_code == 200
        (disk / "filler").unlink()
        assert add_app(web, "later").status_code == 201


def test_a_database_that_somebody_holds_is_said(tmp_path: Path, redis_url: str) -> None:
    with web_server(tmp_path / "vr", redis_url) as web:
        web.python(START)
        people = People(web)
        holder = sqlite3.connect(web.home / "velociraptor.sqlite3", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        people.are_told("database is busy")
        people.close()
        assert call(web, "GET", "/api/v1/apps/").json()["objects"] == []
        holder.execute("ROLLBACK")
        holder.close()
        assert add_app(web, "shop").status_code == 201


def test_a_redis_that_goes_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    # Its address is the same again, as the folder is.
    with redis_server(folder) as url:
        pass
    with web_server(tmp_path / "vr", url) as web:
        web.python(START)
        paths = ["/api/v1/hosts/", "/api/v1/hosts/testhost/procs/"]
        for path in paths:
            assert "Redis does not answer" in said(call(web, "GET", path)), path
        # What needs no Redis goes on; an event that nobody hears is in the database.
        assert add_app(web, "shop").status_code == 201
        assert call(web, "GET", "/api/v1/events/").json()["objects"]
        with redis_server(folder) as again:
            assert again == url
            for path in paths:
                until(partial(is_fine, web, path), f"{path} is back")
