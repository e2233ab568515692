"""Velociraptor as an app of itself: one instance builds, tests, routes and replaces another."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from support.ports import free_port
from support.postgres_server import postgres_server
from support.procfile import REPOSITORY, started
from support.redis_server import redis_server
from support.stack import Stack, running_stack
from support.waiting import until

pytestmark = pytest.mark.scale

SWARMS = ("web", "worker", "beat", "flower")


@pytest.fixture
def second(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the second instance is told: a database, migrated, and a Redis of its own."""
    folder = Path(tempfile.mkdtemp(prefix="vr-itself-"))
    folder.chmod(0o711)
    port, redis_port = free_port(), free_port()
    try:
        with (
            postgres_server(folder / "postgres", port=port) as url,
            redis_server(folder / "redis", port=redis_port),
        ):
            told = {
                "VR_SECRET_KEY": "of-the-second-instance",
                "VR_DATABASE_URL": url,
                "VR_REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
                "VR_HOME": "/tmp/velociraptor",
                "VR_ALLOWED_HOSTS": "vr.localhost,127.0.0.1",
                "VR_WORKER_THREADS": "2",
                "QUEUES": "celery",
            }
            yield told
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """This repository as it is checked out, with the tags v1 and v2, which say so."""
    clone = tmp_path / "velociraptor"
    git = ["git", "-C", str(clone), "-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
    version = clone / "src" / "vr" / "__init__.py"
    for tag in ("v1", "v2"):
        version.write_text(f'"""Velociraptor."""\n\n__version__ = "{tag}"\n')
        subprocess.run([*git, "commit", "-qam", tag], check=True)
        subprocess.run([*git, "tag", tag], check=True)
    return clone


def test_an_instance_builds_and_swarms_another_and_its_next_version_without_a_lost_request(
    second: dict[str, str], repository: Path, tmp_path: Path
) -> None:
    with ExitStack() as exits:
        stack = exits.enter_context(running_stack())
        migrating = started("migrate", {**stack.env, **second}, tmp_path / "migrate.log")
        assert migrating.wait(120) == 0
        values = [word for name, text in second.items() for word in ("--env", f"{name}={text}")]
        stack.vr("apps", "add", "velociraptor", str(repository), "--stack", "debian12")
        for proc in SWARMS:
            pool = {"web": "vr", "flower": "flower"}.get(proc, "")
            stack.vr(
                *("swarms", "add", "velociraptor", proc, "--config-name", "second"),
                *("--tag", "v1", "--size", "1", "--squad", "local", "--pool", pool, *values),
            )

        for proc in SWARMS:
            stack.vr("swarm", f"velociraptor-second-{proc}", "v1")
        until(lambda: _parts(stack) == _WELL, "all parts of the second instance are well")
        assert stack.get("flower", "/healthcheck")[0] == 200

        lost: list[int] = []
        ended = threading.Event()
        asking = threading.Thread(target=_ask, args=(stack, lost, ended))
        asking.start()
        try:
            for proc in SWARMS:
                stack.vr("swarm", f"velociraptor-second-{proc}", "v2")
        finally:
            ended.set()
            asking.join()
        assert lost == []
        until(lambda: _parts(stack) == _WELL, "all parts of the next version are well")
        assert {name.split("-")[1] for name in stack.procs()} == {"v2"}


# It has no worker for builds: those don't run in containers.
_WELL = {"web": "", "redis": "", "worker": "", "builder": "no worker answers on the queue builds"}


def _parts(stack: Stack) -> dict[str, str]:
    answer = httpx.get(
        f"http://127.0.0.1:{stack.http_port}/health/",
        headers={"Host": "vr.localhost"},
        timeout=20,
    )
    parts: dict[str, str] = answer.json()["parts"]
    return parts


def _ask(stack: Stack, lost: list[int], ended: threading.Event) -> None:
    while not ended.wait(0.05):
        status, _ = stack.get("vr", "/login/")
        if status != 200:
            lost.append(status)
