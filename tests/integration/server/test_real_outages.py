"""A full disk, a database that somebody holds, a Redis that goes and comes: by real ones."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
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


def is_fine(web: WebServer, path: str) -> bool:
    return call(web, "GET", path).status_code == 200


def test_a_full_disk_is_said_and_over_when_there_is_room(disk: Path, redis_url: str) -> None:
    with web_server(disk / "vr", redis_url) as web:
        web.python(START)
        with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError):
            while True:
                # To the last byte: SQLite finds room in what its files have already.
                assert filler.write(b"x" * 4096) == 4096
        refused = next(
            (one for n in range(300) if (one := add_app(web, f"a{n}")).status_code != 201), None
        )
        assert refused is not None, "there was room for everything"
        assert "disk is full" in said(refused)
        # Reading goes on.
        assert call(web, "GET", "/api/v1/apps/").status_code == 200
        (disk / "filler").unlink()
        assert add_app(web, "later").status_code == 201


def test_a_database_that_somebody_holds_is_said(tmp_path: Path, redis_url: str) -> None:
    with web_server(tmp_path / "vr", redis_url) as web:
        web.python(START)
        holder = sqlite3.connect(web.home / "velociraptor.sqlite3", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert "database is busy" in said(add_app(web, "shop"))
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
