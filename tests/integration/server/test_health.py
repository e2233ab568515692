"""The health page under a burst of requests, and a web process that hangs."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from support.redis_server import redis_server
from support.waiting import until
from support.web_server import WebServer, web_server
from vr.server.shared_check import SharedCheck

_HANGING = """
import asyncio, time
from vr.server.watchdog import Watched

async def page(scope, receive, send):
    {hang}

async def main():
    told = iter([{{"type": "lifespan.startup"}}])
    async def receive():
        for message in told:
            return message
        await asyncio.Event().wait()
    async def send(message): pass
    watched = Watched(page, path="/", hang_seconds=0.5, every_seconds=0.1)
    await watched({{"type": "lifespan"}}, receive, send)

asyncio.run(asyncio.wait_for(main(), 3))
"""


def test_many_who_ask_at_once_share_one_check() -> None:
    go_on = threading.Event()
    calls: list[int] = []

    def check() -> dict[str, str]:
        calls.append(1)
        go_on.wait(20)
        return {"web": ""}

    shared = SharedCheck(check)
    asked = [shared.ask() for _ in range(200)]
    go_on.set()
    assert {one.result(20)["web"] for one in asked} == {""}
    assert shared.ask().result(20) == {"web": ""}
    assert len(calls) == 1


def test_a_burst_of_requests_is_answered_and_web_serves_on(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as url, web_server(tmp_path / "home", url) as web:
        # A connection that was idle for long may be closed just as it is used again.
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=0)
        with httpx.Client(timeout=30, limits=limits) as client, ThreadPoolExecutor(200) as crowd:
            health = f"{web.url}/health/"
            answers = list(crowd.map(lambda _: client.get(health), range(400)))
            assert {answer.status_code for answer in answers} == {503}
            assert answers[0].json()["parts"] == {
                "web": "",
                "redis": "",
                "worker": "no worker answers on the queue celery",
                "builder": "no worker answers on the queue builds",
            }
            # Requests are answered without workers, too.
            ready = client.get(f"{web.url}/ready")
            parts = {"database": "", "redis": "", "queue": ""}
            assert (ready.status_code, ready.json()) == (200, {"ready": True, "parts": parts})
            assert client.get(f"{web.url}/login/").status_code == 200
            _forget_a_migration(web)
            until(lambda: client.get(f"{web.url}/ready/").status_code == 503, "it lacks one")
            told = client.get(f"{web.url}/ready").json()["parts"]["database"]
            assert "lacks server.0001_initial" in told


def _forget_a_migration(web: WebServer) -> None:
    web.python(
        "from django.db.migrations.recorder import MigrationRecorder\n"
        "MigrationRecorder.Migration.objects.filter(app='server').delete()"
    )


def _ends(hang: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _HANGING.format(hang=hang)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_whose_pages_hang_ends_and_says_where() -> None:
    for hang in (
        "await asyncio.Event().wait()",
        "time.sleep(20)",
        "import re; re.match('(a+)+$', 'a' * 40 + 'b')",
    ):
        ended = _ends(hang)
        assert ended.returncode == 1, hang
        assert "Timeout (0:00:00.500000)!" in ended.stderr, hang


def test_a_process_whose_pages_fail_lives_on() -> None:
    ended = _ends("raise ValueError")
    assert "Timeout (" not in ended.stderr
    assert "TimeoutError" in ended.stderr, "the test's own end"
