"""Builds by the farm: a real NATS server, real stagers, and the real server for their files."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from support.celery_worker import environment
from support.cloud import cloud
from support.nats_server import NatsServer
from support.nginx_server import Nginx
from support.repositories import GitRepository
from support.stagers import Stagers, stagers
from support.swarm_machine import ALIVE, APP, Machine
from support.waiting import until
from support.web_server import web_server
from vr.container import cgroups
from vr.paths import Root
from vr.server.builds import running
from vr.server.builds.asking import request_build
from vr.server.builds.farm import links
from vr.server.files import store
from vr.server.models import Build, Buildpack, BuildStatus, DispatchStatus

FILES = {
    "app.py": APP,
    "Procfile": "web: python3 app.py\nworker: sleep 1000\n",
    "uptests/web/01_alive": ALIVE,
    ".slugignore": "*.md\n",
    "notes.md": "not for the slug\n",
}
# Notes whatever could differ between a worker and a stager. The file `wait` holds the port that
# must be open for the compile to go on.
COMPILE = """\
echo mixing the dough
while [ -e "$1/wait" ] && ! (: >"/dev/tcp/127.0.0.1/$(<"$1/wait")") 2>/dev/null; do sleep 0.1; done
[ ! -e "$1/broken" ] || { echo the oven is cold; exit 3; }
{ pwd; id -u; ls -la "$1" | awk '{print $1, $9}'; cat "$1/.git/HEAD"; } >"$1/seen"
env | grep -v '^PWD\\|^OLDPWD\\|^SHLVL\\|^_' | sort >>"$1/seen"
ln "$1/app.py" "$1/twin.py"
"""


class Gate:
    """A port of loopback that nobody else gets, closed until it is opened."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = str(self._socket.getsockname()[1])

    def open(self) -> None:
        self._socket.listen(50)

    def close(self) -> None:
        self._socket.close()


STAGER = {"vbuild": {"local": True}}
WORKER = """\
import sys, django
django.setup()
from vr.server.builds import running
running.run(int(sys.argv[1]))
"""


@dataclass
class Farm:
    machine: Machine
    stagers: Stagers
    repository: GitRepository
    gate: Gate

    def build(self, tag: str = "v1") -> Build:
        """Build it as a worker does; the row as it is then."""
        build = request_build(self.machine.app(), tag, user=None)
        assert running.run(build.pk)
        build.refresh_from_db()
        return build

    def log(self, build: Build) -> str:
        return store.path_of(build.compile_log).read_text()

    def compiles(self, build: Build) -> bool:
        """Whether people can see in its log that it has begun."""
        build.refresh_from_db(fields=["compile_log"])
        path = store.path_of(build.compile_log) if build.compile_log else None
        return path is not None and path.is_file() and "mixing" in path.read_text()


@pytest.fixture(scope="module")
def pool(bus: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stagers]:
    """Two stagers that share a queue."""
    folder = tmp_path_factory.mktemp("stagers")
    with cloud(folder / "cloud") as unused, stagers(bus, unused, folder / "s") as running:
        running.start_several(2, max_active_tasks=2, plugins=STAGER)
        yield running


@pytest.fixture(scope="module")
def web(
    services: tuple[Path, Nginx, str], redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a web process with the machine's file store."""
    files = {"VR_FILES": str(services[0].parent / "files")}
    with web_server(tmp_path_factory.mktemp("web"), redis_url, files) as server:
        yield server.url


@pytest.fixture
def farm(
    machine: Machine,
    pool: Stagers,
    web: str,
    settings: Any,
    tmp_path: Path,
) -> Iterator[Farm]:
    """The machine, whose builds are made by the pool; the shop in a repository with tags."""
    repository = GitRepository(tmp_path / "shop")
    repository.commit(FILES, tag="v1")
    app = machine.app()
    app.repo_url = repository.url
    app.buildpack = Buildpack.objects.create(repo_url=_buildpack(tmp_path / "pack"))
    app.save()
    settings.BUILDER = "nats"
    settings.NATS_URI, settings.NATS_QUEUE = pool.nats.uri, pool.queue
    settings.FARM_URL, settings.FARM_SECONDS = web, 60
    gate = Gate()
    yield Farm(machine, pool, repository, gate)
    gate.close()


def _buildpack(folder: Path) -> str:
    scripts = {
        "detect": "echo Test",
        "compile": COMPILE,
        "release": "echo 'config_vars: {VERSION: v1}'",
    }
    for name, text in scripts.items():
        path = folder / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
    return str(folder)


def test_a_farm_build_is_that_of_a_worker_and_is_swarmed_like_it(farm: Farm, settings: Any) -> None:
    made = farm.build()
    assert made.status == BuildStatus.SUCCESS, farm.log(made)
    dispatch = farm.machine.dispatch(farm.machine.swarm(size=1))
    assert dispatch.status == DispatchStatus.SUCCEEDED, (dispatch.error, dispatch.output)
    assert dispatch.build == made
    assert farm.machine.nginx.get("shop").text == "v1"
    settings.BUILDER = "local"
    local = farm.build()
    for fact in (
        *("file_md5", "hash", "revision", "buildpack_url", "buildpack_version"),
        *("process_types", "release_data", "env_yaml"),
    ):
        assert getattr(made, fact) == getattr(local, fact), fact
    log = farm.log(made)
    for line in ("Fetching shop v1", "mixing the dough", "Process types: web, worker", "Done!"):
        assert line in log
    assert not any((Path(settings.FILES_ROOT) / ".building").iterdir())


def test_an_app_with_a_framework_is_staged_as_that_and_swarmed(farm: Farm, settings: Any) -> None:
    app = farm.machine.app()
    app.framework, app.buildpack = "standalone", None
    app.save()
    made = farm.build()
    assert made.status == BuildStatus.SUCCESS, farm.log(made)
    assert made.process_types == {"web": "exec ./start_droplet"}
    assert "VCAP_APPLICATION" in made.env_yaml
    swarm = farm.machine.swarm(size=1, env_yaml="VERSION: staged")
    dispatch = farm.machine.dispatch(swarm)
    assert dispatch.status == DispatchStatus.SUCCEEDED, (dispatch.error, dispatch.output)
    assert farm.machine.nginx.get("shop").text == "staged"
    assert farm.build().file_md5 == made.file_md5, "staging it again gives the same build"
    settings.BUILDER = "local"
    assert "Set VR_BUILDER=nats" in farm.build().error


def test_a_failing_compile_fails_the_build_with_its_log(farm: Farm) -> None:
    farm.repository.commit({"broken": ""}, tag="bad")
    failed = farm.build("bad")
    assert failed.status == BuildStatus.FAILED
    assert "bin/compile ended with status 3" in failed.error
    assert "the oven is cold" in farm.log(failed)


def test_without_a_stager_it_says_so_at_once(farm: Farm, settings: Any) -> None:
    settings.NATS_QUEUE = "nobody"
    failed = farm.build()
    assert "No stager answers on nats://127.0.0.1" in failed.error
    assert "Start `vstager`" in failed.error


def test_without_a_nats_server_it_says_so(farm: Farm, settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("vr.server.builds.farm.staging._PATIENCE_SECONDS", 0)
    settings.NATS_URI = "nats://deploy:s3cret@127.0.0.1:1"
    failed = farm.build()
    assert "The NATS server at nats://127.0.0.1:1 can't be used" in failed.error
    assert "s3cret" not in failed.error + farm.log(failed)


def test_four_builds_at_once_are_shared_by_two_stagers(farm: Farm) -> None:
    for number in range(4):
        farm.repository.commit({"wait": farm.gate.port, "number": str(number)}, tag=f"t{number}")
    made = [request_build(farm.machine.app(), f"t{number}", user=None) for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(_run, build) for build in made]
        # Each stager takes two: four are more than one could do.
        until(lambda: all(map(farm.compiles, made)), "all of them compile at once", seconds=40)
        farm.gate.open()
        assert [each.result(60) for each in running] == [True] * 4
    assert set(Build.objects.values_list("status", flat=True)) == {BuildStatus.SUCCESS}


def test_a_build_whose_worker_was_killed_begins_anew_and_takes_nothing_late(
    farm: Farm, settings: Any, tmp_path: Path
) -> None:
    farm.repository.commit({"wait": farm.gate.port}, tag="slow")
    build = request_build(farm.machine.app(), "slow", user=None)
    env = environment(settings, tmp_path) | {
        "VR_BUILDER": "nats",
        "VR_NATS_URI": settings.NATS_URI,
        "VR_NATS_QUEUE": settings.NATS_QUEUE,
        "VR_FARM_URL": settings.FARM_URL,
    }
    scratch = Path(settings.FILES_ROOT) / ".building" / str(build.pk)
    with subprocess.Popen([sys.executable, "-c", WORKER, str(build.pk)], env=env) as worker:
        until(lambda: farm.compiles(build), "it compiles")
        (first,) = (path for path in scratch.iterdir() if path.is_dir())
        worker.send_signal(signal.SIGKILL)
    late = links.attempt(str(first.relative_to(settings.FILES_ROOT)), links.DROPLET)
    with ThreadPoolExecutor(1) as threads:
        again = threads.submit(_run, build)
        until(lambda: not first.exists(), "the second attempt has begun")
        farm.gate.open()
        assert again.result(60)
    build.refresh_from_db()
    assert build.status == BuildStatus.SUCCESS, farm.log(build)
    assert httpx.post(late, files={"upload[droplet]": b"late"}).status_code == 410
    log = "".join(each.output for each in farm.stagers.running)
    assert "attempt:" not in log, "signatures are in no log"


def test_a_build_whose_stager_was_killed_is_made_by_another(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vr.server.builds.farm.staging._LOST_SECONDS", 3.0)
    farm.repository.commit({"wait": farm.gate.port}, tag="slow")
    build = request_build(farm.machine.app(), "slow", user=None)
    before = [each.output.count("Enqueued") for each in farm.stagers.running]
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(_run, build)
        until(lambda: farm.compiles(build), "it compiles")
        (taker,) = (
            each
            for each, count in zip(farm.stagers.running, before, strict=True)
            if each.output.count("Enqueued") > count
        )
        orphans = _builders()
        assert taker.stop(signal.SIGKILL) < 0
        until(
            lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans),
            "the kernel ends what the stager ran",
        )
        farm.gate.open()
        assert running.result(60)
    build.refresh_from_db()
    assert build.status == BuildStatus.SUCCESS, farm.log(build)
    assert farm.log(build).count("mixing the dough") == 2
    farm.stagers.start(max_active_tasks=2, plugins=STAGER)


def _builders() -> list[int]:
    """The processes of builds in containers."""
    work = Root.from_env().builder / "work"
    folders = [path.name for path in work.iterdir() if path.is_dir()]
    found = [pid for name in folders for pid in cgroups.processes(f"vbuild-{name}")]
    assert found
    return found


def _run(build: Build) -> bool:
    """In a thread, with a connection of its own."""
    try:
        return running.run(build.pk)
    finally:
        connection.close()
