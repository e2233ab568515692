"""Versions that open their port and turn out to be bad: asked for a page before, watched after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.load import Load
from support.swarm_machine import APP, Machine
from support.waiting import until
from vr.server.models import Dispatch, DispatchStatus, Event, PortLease, Swarm

# Of two procs beside two others one has an even port.
ONE_DIES = """\
import os, threading
if int(os.environ["PORT"]) % 2 == 0:
    timer = threading.Timer({seconds}, os._exit, (1,))
    timer.daemon = True
    timer.start()
"""
STOPS_ACCEPTING = APP.replace(
    'http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()\n',
    """\
import threading, time

class Routed(Handler):
    routed = threading.Event()
    def do_GET(self):
        # Uptests ask the proc itself; this came through the balancer.
        if self.headers.get("X-Real-IP") and not self.routed.is_set():
            self.routed.set()
            threading.Timer(0.5, server.shutdown).start()
        super().do_GET()

server = http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Routed)
server.serve_forever()
server.server_close()
print("deaf, but alive", flush=True)
time.sleep(1000)
""",
)
ANSWERS = """\
import http.server, os
print("the log of the app", flush=True)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = {{"/teapot": 418, "/moved": 302}}.get(self.path, {status})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"DATABASE_URL is not set" if status == 500 else b"fine")
    def log_message(self, *args): pass

http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def fails_unnoticed(machine: Machine, served: Swarm, settings: Any) -> Callable[[], Dispatch]:
    """Dispatches v2 under load: it fails, no request does, v1 serves, and nothing is left."""
    settings.SETTLE_SECONDS = 8
    before = (machine.nodes(), machine.procs(), machine.folders())

    def check() -> Dispatch:
        with Load(machine.nginx.port, "shop.localhost", rate=200) as load:
            dispatch = machine.dispatch(served, tag="v2")
            count = load.versions["v1"]
            until(lambda: load.versions["v1"] > count + 20, "v1 serves")
        assert load.failures == []
        assert dispatch.status == DispatchStatus.FAILED
        assert (machine.nodes(), machine.procs(), machine.folders()) == before
        assert PortLease.objects.count() == 2
        return dispatch

    return check


@pytest.mark.parametrize("seconds", [0.3, 2])
def test_one_of_the_new_procs_that_dies_brings_all_old_ones_back(
    machine: Machine, fails_unnoticed: Callable[[], Dispatch], seconds: float
) -> None:
    machine.build("v2", app=ONE_DIES.format(seconds=seconds) + APP)
    fails_unnoticed()


def test_a_new_proc_that_stops_accepting_brings_the_old_ones_back(
    machine: Machine, fails_unnoticed: Callable[[], Dispatch]
) -> None:
    machine.build("v2", app=STOPS_ACCEPTING)
    dispatch = fails_unnoticed()
    assert "takes no connections on port" in dispatch.error
    assert "deaf, but alive" in dispatch.output


@pytest.mark.parametrize(
    ("answers", "path", "statuses", "good"),
    [
        (200, "/", "", True),
        (404, "/", "", True),
        (404, "/", "200-399", False),
        (500, "/", "", False),
        (500, "/", "200,500", True),
        (500, "/teapot", "418", True),
        (200, "/moved", "200", False),
        (500, "", "", True),
    ],
)
def test_a_web_proc_without_uptests_must_answer_a_page(
    machine: Machine, monkeypatch: Any, answers: int, path: str, statuses: str, good: bool
) -> None:
    from vr.server.uptests import http_check

    monkeypatch.setattr(http_check, "_SECONDS", 0.5)
    machine.build("v1", uptest="", app=ANSWERS.format(status=answers))
    swarm = machine.swarm(size=1, check_path=path, check_statuses=statuses)
    dispatch = machine.dispatch(swarm)
    assert (dispatch.status == DispatchStatus.SUCCEEDED) is good, dispatch.error
    assert len(machine.nodes()) == good
    assert len(machine.procs()) == good
    if not good:
        assert "check_path and check_statuses say what is asked and expected" in dispatch.output
        told = {500: ": 500, DATABASE_URL is not set", 404: ": 404, fine", 200: ": 302, to None"}
        assert told[answers] in dispatch.output
        assert dispatch.output.endswith("The end of its log:\nthe log of the app")
        return
    told_of = Event.objects.filter(title__endswith="no uptests").get().message
    assert ("one page" if path else "nothing was tested") in told_of
    said = dispatch.steps.get(kind="uptest").message
    assert said.startswith("no uptests; 1 proc answered a page in " if path else "no uptests for 1")


def test_uptests_are_asked_in_place_of_the_page(machine: Machine) -> None:
    """An app that knows better what it must answer isn't asked for `/`."""
    passes = "#!/bin/sh\nexit 0\n"
    machine.build("v1", uptest=passes, app=ANSWERS.format(status=500))
    dispatch = machine.dispatch(machine.swarm(size=1))
    assert dispatch.status == DispatchStatus.SUCCEEDED, dispatch.output
