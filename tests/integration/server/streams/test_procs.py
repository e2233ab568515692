"""Procs under a real Supervisor: their logs as they grow, and actions by the API and by `vr`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.supervisord import supervisord
from support.waiting import until
from support.web_server import WebServer, web_server

PROC = "shop-v1-prod-0a1b2c3d-worker-0"
HEADERS = {"Authorization": "Bearer test-token"}
# Says what stands in a file, and goes on with what is added to it.
PROGRAM = f"""\
[program:{PROC}]
command=/usr/bin/tail -c +1 -f {{folder}}/said
autorestart=true
startsecs=0
redirect_stderr=true
stdout_logfile={{folder}}/log
"""


@dataclass
class Machine:
    web: WebServer
    folder: Path

    def say(self, text: str) -> None:
        """Let the proc write `text` to its log."""
        with (self.folder / "said").open("a") as said:
            said.write(text)

    def wait_for_log(self, text: str) -> None:
        until(lambda: text in (self.folder / "log").read_text(), f"{text!r} is in the log")


@pytest.fixture(scope="module")
def machine(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    root = tmp_path_factory.mktemp("apps")
    folder = root / "procs" / PROC
    folder.mkdir(parents=True)
    (folder / "said").write_text("")
    (folder / "proc.conf").write_text(PROGRAM.format(folder=folder))
    with supervisord(tmp_path_factory.mktemp("host"), f"{root}/procs/*/proc.conf") as url:
        environment = {"VR_SUPERVISOR_URL": url, "VR_ROOT": str(root)}
        home = tmp_path_factory.mktemp("web")
        with web_server(home, redis_url, environment) as server:
            server.python(
                "from django.contrib.auth.models import User\n"
                "ApiToken.issue(User.objects.create_user('rex'), 'test', 'test-token')\n"
                "Host.objects.create(name='testhost')\n"
            )
            yield Machine(server, folder)


@pytest.fixture
def web(machine: Machine) -> WebServer:
    """The server that `stream` reads from."""
    return machine.web


def test_a_log_begins_with_its_end_and_goes_on_live(
    machine: Machine, stream: Callable[..., Any]
) -> None:
    machine.say("first: Grüße\nsecond\n")
    machine.wait_for_log("second")
    reader = stream(f"proc_log/testhost/{PROC}/", Accept="text/event-stream")
    assert [reader.next()["data"] for _ in range(2)] == ["first: Grüße", "second"]
    machine.say("third")
    machine.say(" and more\nfourth\n")
    assert [reader.next()["data"] for _ in range(2)] == ["third and more", "fourth"]


def test_more_of_the_end_can_be_asked_for_and_nothing_is_doubled(
    machine: Machine, stream: Callable[..., Any]
) -> None:
    machine.say("".join(f"line {number}\n" for number in range(1000)))
    machine.wait_for_log("line 999\n")
    reader = stream(f"proc_log/testhost/{PROC}/?bytes=8000", Accept="text/event-stream")
    lines = []
    while not lines or lines[-1] != "line 999":
        lines.append(reader.next()["data"])
    # The first one may be cut.
    assert lines[1:] == [f"line {number}" for number in range(1001 - len(lines), 1000)]
    assert len(lines) > 500
    machine.say("line 1000\n")
    assert reader.next()["data"] == "line 1000"


def test_without_event_stream_it_is_plain_text(machine: Machine) -> None:
    path = f"{machine.web.url}/api/streams/proc_log/testhost/{PROC}/"
    with httpx.stream("GET", path, headers=HEADERS) as answer:
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        machine.say("plainly\n")
        assert any("plainly" in line for line in answer.iter_lines())


def test_the_tail_of_a_log(machine: Machine) -> None:
    machine.say("the very end\n")
    machine.wait_for_log("the very end")
    path = f"{machine.web.url}/api/v1/hosts/testhost/procs/{PROC}/log/"
    answer = httpx.get(path, headers=HEADERS, params={"bytes": 13})
    assert (answer.status_code, answer.text) == (200, "the very end\n")
    missing = httpx.get(path.replace("worker", "nothing"), headers=HEADERS)
    assert missing.status_code == 404


def test_unknown_procs_have_no_log(machine: Machine) -> None:
    path = f"{machine.web.url}/api/streams/proc_log/testhost/nothing/"
    answer = httpx.get(path, headers=HEADERS)
    assert answer.status_code == 404


def test_procs_are_stopped_started_and_restarted(machine: Machine) -> None:
    path = f"{machine.web.url}/api/v1/hosts/testhost/procs/{PROC}/"

    def act(action: str) -> str:
        answer = httpx.post(path, json={"action": action}, headers=HEADERS, timeout=60)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["statename"])

    assert act("stop") == "STOPPED"
    assert act("start") in {"STARTING", "RUNNING"}
    assert act("restart") in {"STARTING", "RUNNING"}
    missing = httpx.post(
        path.replace("worker", "nothing"), json={"action": "stop"}, headers=HEADERS
    )
    assert missing.status_code == 404
