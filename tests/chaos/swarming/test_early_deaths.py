"""Versions that open their port and die soon after: nobody notices but who swarmed them."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.load import Load
from support.repositories import GitRepository
from support.stack import TOP, Stack, running_stack
from support.waiting import until

pytestmark = pytest.mark.chaos
RATE = 200
DELAYS = (0, 0.3, 0.5, 1, 2, 3, 4, 6, 8, 9.5)
APP = """\
import http.server, os, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("X-Shop-Version", os.environ["VERSION"])
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args): pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

server = Server(("", int(os.environ["PORT"])), Handler)
victims, delay = os.environ.get("VICTIMS"), os.environ.get("DELAY")
# Two procs beside two others have ports of which one is even.
if victims == "all" or (victims == "one" and int(os.environ["PORT"]) % 2 == 0):
    if float(delay) == 0:
        os._exit(1)
    timer = threading.Timer(float(delay), os._exit, (1,))
    timer.daemon = True
    timer.start()
server.serve_forever()
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack(procs=40, VR_SETTLE_SECONDS="10", VR_DRAIN_SECONDS="5") as one:
        yield one


@pytest.fixture(scope="module")
def mortal(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A swarm of two procs that serves; its environment says when later ones die."""
    repo = GitRepository(tmp_path_factory.mktemp("mortal") / "mortal")
    repo.commit(
        {"app.py": APP, "requirements.txt": "", "Procfile": "web: python3 app.py\n"}, tag="v1"
    )
    return _serve(stack, "mortal", repo.path, "--env", "VERSION=good")


def _serve(stack: Stack, app: str, repo: Path, *options: str) -> str:
    stack.vr("apps", "add", app, str(repo), "--stack", "debian12")
    stack.vr(
        *("swarms", "add", app, "web", "--config-name", "prod", "--tag", "v1", "--size", "2"),
        *("--squad", "local", "--pool", app, *options),
    )
    stack.vr("swarm", f"{app}-prod-web", "v1")
    return f"{app}-prod-web"


def _state(stack: Stack, pool: str) -> tuple[list[str], list[str], list[str]]:
    return stack.procs(), stack.proc_folders(), stack.pool_nodes(pool)


def _fails_unnoticed(stack: Stack, swarm: str, version: str, good: str) -> None:
    """Swarm it under load: it fails, no request does, `good` serves, and nothing is left."""
    pool = swarm.partition("-")[0]
    before = _state(stack, pool)
    with Load(stack.http_port, f"{pool}.localhost", RATE) as load:
        done = stack.vr("swarm", swarm, version, check=False)
        served = load.versions[good]
        until(lambda: load.versions[good] > served + RATE, "the good version serves", seconds=20)
    assert done.returncode == 1, done.stdout + done.stderr
    assert load.failures == []
    assert _state(stack, pool) == before


@pytest.mark.parametrize("victims", ["one", "all"])
@pytest.mark.parametrize("delay", DELAYS)
def test_new_procs_that_die_fail_no_request(
    stack: Stack, mortal: str, delay: float, victims: str
) -> None:
    told = ("VERSION=bad", f"DELAY={delay}", f"VICTIMS={victims}")
    stack.vr("swarms", "set", mortal, *(word for one in told for word in ("--env", one)))
    _fails_unnoticed(stack, mortal, "-", good="good")


@pytest.mark.parametrize("victims", ["one", "all"])
def test_a_worker_that_is_killed_while_new_procs_settle_and_die_costs_time_only(
    stack: Stack, mortal: str, victims: str
) -> None:
    told = ("VERSION=bad", "DELAY=5", f"VICTIMS={victims}")
    stack.vr("swarms", "set", mortal, *(word for one in told for word in ("--env", one)))
    before = _state(stack, "mortal")
    with Load(stack.http_port, "mortal.localhost", RATE) as load:
        stack.vr("swarm", mortal, "-", "--no-settle-wait")
        os.kill(stack.pid_of("worker"), signal.SIGKILL)
        until(
            lambda: stack.json("dispatches", mortal)[0]["status"] == "failed",
            "another worker has noticed",
            seconds=60,
        )
        served = load.versions["good"]
        until(lambda: load.versions["good"] > served + RATE, "the good version serves", seconds=20)
    assert load.failures == []
    assert _state(stack, "mortal") == before


def test_a_plain_http_server_that_is_ended_after_half_a_second(
    stack: Stack, tmp_path: Path
) -> None:
    repo = GitRepository(tmp_path / "plain")
    files = {"requirements.txt": "", "index.html": "hello"}
    repo.commit({**files, "Procfile": "web: python3 -m http.server $PORT\n"}, tag="v1")
    repo.commit({"Procfile": "web: timeout 0.5 python3 -m http.server $PORT\n"}, tag="v2")
    repo.commit({"Procfile": "web: timeout 0.3 python3 -m http.server $PORT\n"}, tag="v3")
    swarm = _serve(stack, "plain", repo.path)
    for version in ("v2", "v3"):
        _fails_unnoticed(stack, swarm, version, good="(none)")


def test_a_gunicorn_whose_app_fails_to_import_after_its_port_is_open(
    stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "late"
    subprocess.run([str(TOP / "examples" / "make-repo"), str(path)], check=True)
    (path / "late.py").write_text(
        "import os, time\ntime.sleep(float(os.environ['FAILS_AFTER']))\nraise ImportError('late')\n"
    )
    (path / "shop.py").write_text(f"import late\n{(path / 'shop.py').read_text()}")
    git = ("git", "-C", str(path), "-c", "user.name=t", "-c", "user.email=t@example.com")
    for command in (
        ["rm", "-rq", "uptests"],
        ["add", "."],
        ["commit", "-qm", "late"],
        ["tag", "v4"],
    ):
        subprocess.run([*git, *command], check=True)
    swarm = _serve(stack, "late", path)
    for delay in ("0.1", "0.7", "1.5", "4"):
        stack.vr("swarms", "set", swarm, "--env", f"FAILS_AFTER={delay}")
        _fails_unnoticed(stack, swarm, "v4", good="v1")
