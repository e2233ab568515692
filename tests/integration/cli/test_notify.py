"""`vr notify` against a real server; the test plays the worker."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from support.waiting import until
from support.web_server import WebServer


@pytest.fixture(autouse=True)
def nobody_left(web: WebServer) -> Iterator[None]:
    yield
    web.python("Notifier.objects.all().delete()")


def test_notifiers_are_added_listed_and_removed(
    vr: Any, ok: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "vr notify add" in ok("notify").err
    said = ok(
        "notify", "add", "ops", "https://example.org/hook/TOKEN", "--events", "bad swarm_done"
    )
    assert "signs what it is sent" in said.err
    monkeypatch.setattr("sys.stdin", io.StringIO("mailto://user:password@example.org\n"))
    assert "signs" not in ok("notify", "add", "mail", "-").err
    listed = ok("notify").out
    assert "https://example.org/***" in listed and "mailto://***" in listed
    assert "TOKEN" not in listed and "password" not in listed
    assert [one["kinds"] for one in ok("notify", "--json").data] == ["bad", "bad swarm_done"]
    ok("notify", "remove", "ops", "--yes")
    assert [one["name"] for one in ok("notify", "--json").data] == ["mail"]
    wrong = vr("notify", "add", "x", "https://example.org", "--events", "moon")
    assert wrong.code == 2
    assert "moon is none of" in wrong.err


@pytest.mark.parametrize(("status", "code"), [("sent", 0), ("dead", 1)])
def test_a_test_says_whether_it_got_there(
    web: WebServer, ok: Any, vr: Any, status: str, code: int
) -> None:
    def play() -> None:
        until(lambda: web.python("print(Notice.objects.count() or '')"), "it is queued")
        web.python(f"Notice.objects.update(status={status!r}, error='It is away.')")

    ok("notify", "add", "ops", "https://example.org/hook")
    worker = threading.Thread(target=play)
    worker.start()
    said = vr("notify", "test", "ops")
    worker.join()
    assert said.code == code
    assert ("ops was told" if code == 0 else "It is away.") in said.err
