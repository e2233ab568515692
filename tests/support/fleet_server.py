"""The server of a fleet: web, worker, beat, Redis and nginx as processes of the controller."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from support.fleet import CONTROLLER, Fleet
from support.images import test_image
from support.nginx_server import nginx_server
from support.servers import serving
from vr.machine.ports import answers

BIN = Path(sys.executable).parent
_PASSWORD = "only-for-tests"
TOKEN = "only-for-tests-token"
WEB_PORT = 8000
_REDIS_PORT = 6379
# What the tests begin with: an admin, a squad, an image, three versions of the shop.
_ROWS = """
import django, hashlib, shutil, sys
from pathlib import Path
django.setup()
from django.contrib.auth.models import User
from support.swarm_machine import BROKEN, Machine
from vr.server.files import store
from vr.server.models import ApiToken, Image, Squad, Stack
ApiToken.issue(User.objects.create_superuser("admin", password="x"), "cli", "{token}")
file = store.path_of("images/test.tar")
file.parent.mkdir(parents=True, exist_ok=True)
shutil.copy("{image}", file)
image = Image.objects.create(
    stack=Stack.objects.create(name="tests"), name="tests", file="images/test.tar", active=True,
    md5=hashlib.md5(file.read_bytes()).hexdigest(),
)
machine = Machine(None, None, Path(), image, Squad.objects.create(name="web"))
for tag in ("v1", "v2"):
    machine.build(tag)
machine.build("v3", uptest=BROKEN)
"""


@dataclass
class FleetServer:
    """What tests ask of the server; all within the controller's network."""

    fleet: Fleet
    home: Path
    environment: dict[str, str] = field(repr=False)
    http_port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def vr(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The `vr` command; fails with its output for a status other than 0, if `check`."""
        done = subprocess.run(
            [*_entered(self.fleet), str(BIN / "vr"), *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done

    def python(self, code: str) -> str:
        """Run `code` with the server's settings; returns what it prints."""
        done = subprocess.run(
            [*_entered(self.fleet), sys.executable, "-c", code],
            env=self.environment | {"PYTHONPATH": str(Path(__file__).parent.parent)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def objects(self, resource: str) -> list[dict[str, object]]:
        """All objects of a resource that `vr … --json` lists."""
        found: list[dict[str, object]] = json.loads(self.vr(resource, "list", "--json").stdout)
        return found


@contextmanager
def fleet_server(
    fleet: Fleet,
    home: Path,
    extra: Mapping[str, str] | None = None,
    *,
    webs: int = 1,
    workers: int = 1,
) -> Iterator[FleetServer]:
    """Run the server's parts in the controller's network; they are ended with the block. So many
    web processes listen on ports from 8000 on; hosts fetch files from the first."""
    home.mkdir(parents=True, exist_ok=True)
    with fleet.controller(), ExitStack() as stack:
        nginx = stack.enter_context(nginx_server(home / "nginx"))
        balancers = home / "balancers.yaml"
        entry = {"BACKEND": "vr.balancer.nginx.NginxBalancer", **nginx.config}
        balancers.write_text(json.dumps({"BALANCERS": {"nginx": entry}}))
        redis_url = f"redis://:{_PASSWORD}@{CONTROLLER}:{_REDIS_PORT}/0"
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "vr.server.settings",
            "VR_HOME": str(home),
            "VR_ROOT": str(home / "apps"),
            "VR_SECRET_KEY": "only-for-tests",
            "VR_REDIS_URL": redis_url,
            "VR_FILES_BASE_URL": f"http://{CONTROLLER}:{WEB_PORT}",
            "VR_LOCAL_HOST": "controller",
            "VR_BALANCERS_FILE": str(balancers),
            "VR_DEFAULT_BALANCER": "nginx",
            "VR_ALLOWED_HOSTS": CONTROLLER,
            "VR_URL": f"http://{CONTROLLER}:{WEB_PORT}",
            "VR_TOKEN": TOKEN,
            **(extra or {}),
        }
        server = FleetServer(fleet, home, environment, nginx.port)
        stack.enter_context(_redis(server))
        migrate = "import django; django.setup()\nfrom django.core.management import call_command\n"
        server.python(f"{migrate}call_command('migrate', verbosity=0)")
        server.python(_ROWS.format(token=TOKEN, image=test_image()))
        celery = [str(BIN / "celery"), "-A", "vr.server.celery_app"]
        parts = {
            "beat": [*celery, "beat", "--schedule", str(home / "beat"), "--pidfile="],
        }
        for number in range(workers):
            name = f"worker{number or ''}"
            own = ["--pool", "threads", "--concurrency", "8", "--hostname", f"{name}@%h"]
            parts[name] = [*celery, "worker", *own]
        for number in range(webs):
            parts[f"web{number or ''}"] = [
                *(str(BIN / "uvicorn"), "vr.server.asgi:application", "--host", CONTROLLER),
                *("--port", str(WEB_PORT + number), "--timeout-graceful-shutdown", "1"),
            ]
        for name, argv in parts.items():
            stack.enter_context(_part(server, name, argv))
        first = server.processes["web"]

        def all_answer() -> bool:
            return all(answers(WEB_PORT + number, CONTROLLER) for number in range(webs))

        with serving(first, all_answer, "web", seconds=60, start_seconds=60):
            yield server


@contextmanager
def _part(server: FleetServer, name: str, argv: list[str]) -> Iterator[None]:
    with (server.home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*_entered(server.fleet), *argv],
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    server.processes[name] = process
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _redis(server: FleetServer) -> Iterator[None]:
    folder = server.home / "redis"
    folder.mkdir()
    conf = folder / "redis.conf"
    conf.write_text(
        f"bind {CONTROLLER}\nport {_REDIS_PORT}\nrequirepass {_PASSWORD}\n"
        f'dir {folder}\nsave ""\nlogfile {folder}/redis.log\n'
    )
    process = subprocess.Popen(["redis-server", conf], stdin=subprocess.DEVNULL)
    connection = redis.Redis(CONTROLLER, _REDIS_PORT, password=_PASSWORD)

    def is_ready() -> bool:
        try:
            return bool(connection.ping())
        except redis.ConnectionError:
            return False

    with serving(process, is_ready, "redis-server"):
        yield


def _entered(fleet: Fleet) -> list[str]:
    """What runs a command in the controller's network, with the fleet's names in /etc/hosts."""
    bind = 'mount --bind "$0" /etc/hosts && exec "$@"'
    return [
        *fleet.enter,
        *("unshare", "--mount", "--propagation", "private"),
        *("sh", "-c", bind, str(fleet.folder / "hosts")),
    ]
