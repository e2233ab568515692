"""Procs under a real Supervisor: their logs as they grow, and actions by the API and by `vr`."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.supervisord import supervisord
from support.waiting import until
from support.web_server import WebServer, web_server
from vr.hosts.supervisor import Supervisor

PROC = "shop-v1-prod-0a1b2c3d-worker-0"
ROTATING = "shop-v1-prod-0a1b2c3d-clock-0"
FLOODING = "shop-v1-prod-0a1b2c3d-flood-0"
HEADERS = {"Authorization": "Bearer test-token"}
# Says what stands in a file, and goes on with what is added to it.
PROGRAM = """\
[program:{name}]
command=/usr/bin/tail -c +1 -f {folder}/said
autorestart=true
startsecs=0
redirect_stderr=true
stdout_logfile={folder}/log
stdout_logfile_maxbytes={most}
stdout_logfile_backups={backups}
"""
# What a browser or a proxy may make of an address, and what Supervisor may.
ODD_NAMES = (
    "..%3Faction=stopall",
    "%2E%2E%3Faction=stopall",
    "..%2F%3Faction=stopall",
    "..%2F..%2FRPC2",
    "%2e%2e",
    "%2F..%2F",
    f"{PROC}%2F..%2F..%2F%3Faction=stopall",
    f"{PROC}%3Faction=stopall",
    f"{PROC}%23",
    f"{PROC}%2Fstderr",
    f"{PROC}%0d%0aHost:x",
    "*",
    f"{PROC}:*",
    "all",
    "%00",
    "%1b",
    "%ff",
    "%ed%a0%80",
    "%25%32%65%25%32%65",
    "x" * 4000,
    "%c3%bc%f0%9f%98%80",
    "'\"<&>;$(reboot)`",
)


@dataclass
class Machine:
    web: WebServer
    procs: Path
    supervisor: Supervisor

    def say(self, text: str, proc: str = PROC) -> None:
        """Let the proc write `text` to its log."""
        with (self.procs / proc / "said").open("a") as said:
            said.write(text)

    def wait_for_log(self, text: str) -> None:
        log = self.procs / PROC / "log"
        until(lambda: text in log.read_text(), f"{text!r} is in the log")


@pytest.fixture(scope="module")
def machine(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    root = tmp_path_factory.mktemp("apps")
    for name, most, backups in ((PROC, 10_000_000, 1), (ROTATING, 2000, 1), (FLOODING, 20_000, 50)):
        folder = root / "procs" / name
        folder.mkdir(parents=True)
        (folder / "said").write_text("")
        (folder / "proc.conf").write_text(
            PROGRAM.format(name=name, folder=folder, most=most, backups=backups)
        )
    with supervisord(tmp_path_factory.mktemp("host"), f"{root}/procs/*/proc.conf") as url:
        environment = {"VR_SUPERVISOR_URL": url, "VR_ROOT": str(root)}
        home = tmp_path_factory.mktemp("web")
        with web_server(home, redis_url, environment) as server:
            server.python(
                "from django.contrib.auth.models import User\n"
                "ApiToken.issue(User.objects.create_user('rex'), 'test', 'test-token')\n"
                "Host.objects.create(name='testhost')\n"
            )
            yield Machine(server, root / "procs", Supervisor("testhost", url))


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


def test_no_line_is_lost_when_the_log_is_rotated(
    machine: Machine, stream: Callable[..., Any]
) -> None:
    reader = stream(f"proc_log/testhost/{ROTATING}/", Accept="text/event-stream")
    log = machine.procs / ROTATING / "log"
    files = set()
    for turn in range(30):
        lines = [f"line {turn}.{number} {'x' * 20}" for number in range(15)]
        machine.say("".join(f"{line}\n" for line in lines), ROTATING)
        assert [reader.next()["data"] for _ in lines] == lines
        files.add(log.stat().st_ino if log.exists() else 0)
    assert len(files) > 1, "it was never rotated"
    # Who comes now sees what was rotated away, too.
    again = stream(f"proc_log/testhost/{ROTATING}/?bytes=2500", Accept="text/event-stream")
    seen = [again.next()["data"]]
    while seen[-1] != lines[-1]:
        seen.append(again.next()["data"])
    assert len("\n".join(seen)) > 2000


def test_many_quick_rotations_lose_no_line_that_is_kept(
    machine: Machine, stream: Callable[..., Any]
) -> None:
    reader = stream(f"proc_log/testhost/{FLOODING}/", Accept="text/event-stream")
    lines = [f"Zeile {number} ü€😀" for number in range(20_000)]
    # All at once, over several files.
    machine.say("".join(f"{line}\n" for line in lines), FLOODING)
    assert [reader.next()["data"] for _ in lines] == lines
    assert len(list((machine.procs / FLOODING).glob("log.*"))) > 3


def test_a_line_without_end_comes_in_pieces(machine: Machine, stream: Callable[..., Any]) -> None:
    reader = stream(f"proc_log/testhost/{PROC}/", Accept="text/event-stream")
    machine.say("long" * 100_000)
    heard = ""
    while len(heard) < 300_000:
        heard += reader.next()["data"]
    machine.say(" end\n")
    while not heard.endswith(" end"):
        heard += reader.next()["data"]
    assert heard.endswith("long" * 100_000 + " end")


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
@pytest.mark.parametrize(
    "address", ["streams/proc_log/testhost/{}/", "v1/hosts/testhost/procs/{}/log/"]
)
def test_an_odd_name_has_no_log_and_changes_nothing(
    machine: Machine, name: str, address: str
) -> None:
    before = machine.supervisor.by_name()
    # As it stands: a client of HTTP would take the dots away.
    connection = http.client.HTTPConnection(machine.web.url.removeprefix("http://"), timeout=20)
    with closing(connection):
        connection.putrequest("GET", f"/api/{address.format(name)}", skip_accept_encoding=True)
        for key, value in HEADERS.items():
            connection.putheader(key, value)
        connection.endheaders()
        assert connection.getresponse().status in {400, 404}
    after = machine.supervisor.by_name()
    assert [(one["name"], one["pid"], one["state"]) for one in after.values()] == [
        (one["name"], one["pid"], one["state"]) for one in before.values()
    ]


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
