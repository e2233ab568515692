"""A fleet's server by the environment alone: the Procfile's processes, two web and two workers,
as on two machines, with PostgreSQL, Redis and RabbitMQ behind TLS and passwords, and files in a
bucket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx
import kombu
import psutil
import pytest
import redis

from support.ports import free_port
from support.procfile import proc, started
from support.rabbitmq_server import tls_rabbitmq_server
from support.redis_server import tls_redis_server
from support.s3_server import s3_server
from support.tls import certificate
from support.waiting import until
from vr.server.celery_app import BROKER_ERRORS
from vr.settings.tls import rabbitmq_tls, redis_address

PASSWORD = "5ecret-of-this-test"


@dataclass(frozen=True)
class Machine:
    """One of the two machines: its environment, its web process's address, its worker."""

    environment: dict[str, str]
    url: str
    worker: subprocess.Popen[bytes]

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers=_TOKEN, timeout=20)

    def post(self, path: str, document: dict[str, object]) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", headers=_TOKEN, json=document, timeout=20)


_TOKEN = {"Authorization": "Bearer test-token"}
_FIRST_USER = (
    "import os, django\n"
    "os.environ['DJANGO_SETTINGS_MODULE'] = 'vr.server.settings'\n"
    "django.setup()\n"
    "from django.contrib.auth.models import User\n"
    "from vr.server.models import ApiToken\n"
    "ApiToken.issue(User.objects.create_superuser('rex'), 'test', 'test-token')\n"
)


@dataclass(frozen=True)
class Fleet:
    machines: tuple[Machine, Machine]
    folder: Path


@pytest.fixture(scope="module")
def fleet(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        tls = certificate(folder, "localhost")
        redis_url = stack.enter_context(tls_redis_server(folder / "redis", PASSWORD, tls))
        shared = {
            **{name: text for name, text in os.environ.items() if not name.startswith("VR_")},
            "VR_SECRET_KEY": PASSWORD,
            "VR_DATABASE_URL": postgres_url.replace("vr@", f"vr:{PASSWORD}@"),
            "VR_REDIS_URL": redis_url,
            "VR_TLS_AUTHORITY": str(tls[0]),
            "VR_WORKER_THREADS": "4",
            "VR_LOCAL_HOST": "nowhere",
            "HOST": "127.0.0.1",
        }
        migrating = started("migrate", shared, folder / "migrate.log")
        # Not pytest's folder, which another session closes to RabbitMQ's account.
        elsewhere = Path(stack.enter_context(TemporaryDirectory(prefix="vr-rabbitmq-")))
        elsewhere.chmod(0o711)
        shared["VR_BROKER_URL"] = stack.enter_context(
            tls_rabbitmq_server(elsewhere / "rabbitmq", PASSWORD, tls)
        )
        shared |= stack.enter_context(s3_server(folder / "s3", PASSWORD))
        assert migrating.wait(120) == 0
        subprocess.run([sys.executable, "-c", _FIRST_USER], env=shared, check=True, timeout=120)
        machines, processes = [], []
        for name in ("one", "two"):
            own = {"VR_HOME": str(folder / name), "VR_ROOT": str(folder / name / "apps")}
            port = free_port()
            environment = {**shared, **own, "PORT": str(port)}
            (folder / name).mkdir()
            web = stack.enter_context(proc("web", environment, folder / name / "web.log"))
            worker = stack.enter_context(proc("worker", environment, folder / name / "worker.log"))
            processes += [web, worker]
            machines.append(Machine(environment, f"http://127.0.0.1:{port}", worker))
        beat = stack.enter_context(proc("beat", machines[0].environment, folder / "beat.log"))
        processes.append(beat)
        one, two = machines
        for machine in machines:
            until(
                lambda m=machine: _is_healthy(m),
                f"{machine.url} and its parts are well",
                seconds=150,
            )
        yield Fleet((one, two), folder)
        # All at once, as each takes its time.
        for process in processes:
            process.terminate()


def _is_healthy(machine: Machine) -> bool:
    try:
        return machine.get("/health/").status_code == 200
    except httpx.TransportError:
        return False


def test_what_one_web_process_is_told_the_other_streams(fleet: Fleet) -> None:
    one, two = fleet.machines
    with httpx.stream(
        "GET", f"{two.url}/api/streams/events/", headers=_TOKEN, timeout=20
    ) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ":"
        one.post("/api/v1/squads/", {"name": "blue"})
        assert any("rex: add" in line and "blue" in line for line in lines)


def test_flower_shows_the_workers(fleet: Fleet) -> None:
    one, _ = fleet.machines
    port = free_port()
    # Its API is for those who are known, unless it is told otherwise.
    environment = {**one.environment, "PORT": str(port), "FLOWER_UNAUTHENTICATED_API": "true"}

    def workers() -> int:
        try:
            return len(httpx.get(f"http://127.0.0.1:{port}/api/workers?refresh=1").json())
        except httpx.TransportError:
            return 0

    with proc("flower", environment, fleet.folder / "flower.log"):
        until(lambda: workers() == 2, "Flower knows both workers", seconds=60)


def test_a_build_goes_on_when_its_worker_is_killed_and_both_web_processes_tell_of_it(
    fleet: Fleet,
) -> None:
    one, two = fleet.machines
    one.post("/api/v1/apps/", {"name": "gone", "repo_url": str(fleet.folder / "nothing")})
    one.worker.send_signal(signal.SIGKILL)
    one.worker.wait(10)

    made = one.post("/api/v1/builds/", {"app": "/api/v1/apps/gone/", "tag": "v1"})
    address = urlsplit(made.headers["Location"]).path
    one.post(f"{address}build/", {})

    def ended() -> bool:
        return two.get(address).json()["status"] == "failed"

    until(ended, "the other worker has taken the build", seconds=60)
    for machine in fleet.machines:
        build = machine.get(address).json()
        assert "error" in httpx.get(build["compile_log"]).text
        assert "error" in machine.get(f"/api/streams/build_log/{build['id']}/").text


@pytest.mark.parametrize("wrong", ["password", "authority"])
def test_who_is_refused_or_shown_another_certificate_gets_no_connection(
    fleet: Fleet, wrong: str, tmp_path: Path
) -> None:
    told = fleet.machines[0].environment
    password = "mistaken" if wrong == "password" else PASSWORD
    authority = Path(told["VR_TLS_AUTHORITY"])
    if wrong == "authority":
        authority, _ = certificate(tmp_path, "localhost")
    redis_url = told["VR_REDIS_URL"].replace(PASSWORD, password)
    broker_url = told["VR_BROKER_URL"].replace(PASSWORD, password)

    with pytest.raises(redis.RedisError):
        redis.Redis.from_url(redis_address(redis_url, authority)).ping()
    with (
        pytest.raises(BROKER_ERRORS),
        kombu.Connection(broker_url, ssl=rabbitmq_tls(broker_url, authority)) as connection,
    ):
        connection.connect()


def test_passwords_are_in_no_log_and_no_list_of_processes(fleet: Fleet) -> None:
    commands = [" ".join(_command(process)) for process in psutil.process_iter()]
    assert not [command for command in commands if PASSWORD in command]
    logs = [*fleet.folder.glob("*.log"), *fleet.folder.glob("*/*.log")]
    assert len(logs) > 6
    assert not [log for log in logs if PASSWORD in log.read_text(errors="replace")]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
