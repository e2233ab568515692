"""Builds that somebody cancels: nothing runs on, nothing is left, and it is said who did it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.celery_worker import celery_worker, environment
from support.repositories import GitRepository
from support.swarm_machine import Machine
from support.waiting import until
from vr.files.locks import Lock
from vr.repo import Source
from vr.runner.layers import lock_file
from vr.server.builds.asking import cancel_build, request_build
from vr.server.builds.problems import CannotCancelBuild
from vr.server.files import store
from vr.server.models import Build, Buildpack, BuildStatus, Dispatch, Event, Image
from vr.server.swarming import asking, engine

RUN = """\
import sys, django
django.setup()
from vr.server.builds import running
running.run(int(sys.argv[1]))
"""
SECONDS = "98765.432"
# A process of ours may take as long to come to it on a busy machine.
BEGUN = 120
COMPILE = f"#!/bin/sh\necho begun\nsetsid sleep {SECONDS} &\nsleep {SECONDS}\n"


@pytest.fixture
def repository(machine: Machine, tmp_path: Path) -> GitRepository:
    """The shop's, with a buildpack whose compile never ends."""
    shop = GitRepository(tmp_path / "shop")
    shop.commit({"Procfile": "web: sleep 1\n"}, tag="v1")
    pack = tmp_path / "pack" / "bin"
    pack.mkdir(parents=True)
    for name, text in (("detect", "#!/bin/sh\n"), ("compile", COMPILE), ("release", "#!/bin/sh\n")):
        (pack / name).write_text(text)
        (pack / name).chmod(0o755)
    app = machine.app()
    app.repo_url = shop.url
    app.buildpack = Buildpack.objects.create(repo_url=str(pack.parent))
    app.save()
    return shop


@contextmanager
def built_elsewhere(build: Build, settings: Any, tmp_path: Path) -> Iterator[None]:
    """A worker's process that builds it, which ends within the block."""
    argv = [sys.executable, "-c", RUN, str(build.pk)]
    with subprocess.Popen(argv, env=environment(settings, tmp_path)) as worker:
        try:
            yield
            until(lambda: worker.poll() is not None, "the worker is done", seconds=BEGUN)
        finally:
            worker.kill()


def log_of(build: Build) -> str:
    build.refresh_from_db()
    path = store.path_of(build.compile_log) if build.compile_log else None
    return path.read_text() if path and path.exists() else ""


def running(argument: str) -> list[str]:
    """The processes of this machine that have such an argument."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if argument.encode() in words:
            found.append(folder.name)
    return found


def test_a_build_that_runs_ends_with_all_its_processes_and_leaves_nothing(
    machine: Machine, repository: GitRepository, settings: Any, tmp_path: Path, user: Any
) -> None:
    build = request_build(machine.app(), "v1", user=None)
    with built_elsewhere(build, settings, tmp_path):
        until(
            lambda: "begun" in log_of(build) and len(running(SECONDS)) == 2,
            "it compiles",
            seconds=BEGUN,
        )
        cancel_build(build, user=user)
    build.refresh_from_db()
    assert (build.status, build.error) == (BuildStatus.FAILED, "Cancelled by rex.")
    assert log_of(build).rstrip().endswith("error: Cancelled by rex.")
    assert running(SECONDS) == []
    assert not (Path(settings.FILES_ROOT) / ".building" / str(build.pk)).exists()
    left = [path.name for path in (machine.root / "builder" / "work").iterdir()]
    assert left == [".lock"]


def test_a_repository_that_never_answers_is_not_waited_for(
    machine: Machine, repository: GitRepository, settings: Any, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app = machine.app()
        app.repo_url = url = f"git://127.0.0.1:{silent.getsockname()[1]}/shop.git"
        app.save()
        build = request_build(app, "v1", user=None)
        with built_elsewhere(build, settings, tmp_path):
            until(lambda: running(url), "git asks", seconds=BEGUN)
            cancel_build(build, user=None)
        build.refresh_from_db()
        assert (build.status, build.error) == (BuildStatus.FAILED, "Cancelled.")
        assert running(url) == []


def test_the_clone_of_another_build_is_not_waited_for(
    machine: Machine, repository: GitRepository, settings: Any, tmp_path: Path
) -> None:
    build = request_build(machine.app(), "v1", user=None)
    lock = machine.root / "builder" / "repo" / f".{Source(repository.url).folder_name}.lock"
    with Lock(lock), built_elsewhere(build, settings, tmp_path):
        until(lambda: "Fetching" in log_of(build), "it waits for the clone", seconds=BEGUN)
        cancel_build(build, user=None)
        until(lambda: log_of(build).endswith("error: Cancelled.\n"), "it is over", seconds=60)
    build.refresh_from_db()
    assert (build.status, build.error) == (BuildStatus.FAILED, "Cancelled.")


def test_the_image_that_another_process_unpacks_is_not_waited_for(
    machine: Machine, repository: GitRepository, settings: Any, tmp_path: Path
) -> None:
    image = machine.image
    image.pk, image.name, image.file = None, "another", "images/another.tar"
    shutil.copy(store.path_of("images/test.tar"), store.path_of(image.file))
    image.save()
    Image.objects.exclude(pk=image.pk).update(active=False)
    build = request_build(machine.app(), "v1", user=None)
    layer = machine.root / "images" / "another" / image.md5
    with (
        Lock(lock_file(layer, machine.root / "locks")),
        built_elsewhere(build, settings, tmp_path),
    ):
        until(
            lambda: "Using the image another" in log_of(build),
            "it waits for the image",
            seconds=BEGUN,
        )
        cancel_build(build, user=None)
        until(lambda: log_of(build).endswith("error: Cancelled.\n"), "it is over", seconds=60)
    build.refresh_from_db()
    assert (build.status, build.error) == (BuildStatus.FAILED, "Cancelled.")
    assert not layer.exists()


def test_one_that_nobody_has_begun_is_over_at_once_and_so_is_the_dispatch_that_waits(
    machine: Machine, repository: GitRepository
) -> None:
    dispatch = asking.dispatch(machine.swarm(), user=None)
    assert engine.drive(dispatch.pk) is engine.Outcome.PARKED
    build = Build.objects.get()
    cancel_build(build, user=None)
    build.refresh_from_db()
    assert (build.status, build.error) == (BuildStatus.FAILED, "Cancelled.")
    machine.drive(dispatch)
    assert dispatch.status == "failed" and "Cancelled." in dispatch.error + dispatch.output
    assert Event.objects.filter(tags=["build", "failed"]).exists()


def test_builds_of_eight_apps_that_sleep_delay_nobody_elses_rollback(
    machine: Machine, repository: GitRepository, settings: Any, tmp_path: Path
) -> None:
    for tag in ("v7", "v8"):
        machine.build(tag, uptest="")
    served = machine.swarm(size=1, tag="v7")
    assert machine.dispatch(served).status == "succeeded"
    assert machine.dispatch(served, tag="v8").status == "succeeded"
    waiting = []
    for number in range(8):
        app = machine.app(f"app{number}")
        app.repo_url, app.buildpack = repository.url, Buildpack.objects.get()
        app.save()
        stranger = machine.swarm(app=app, size=1, pool="", balancer="")
        waiting.append(asking.dispatch(stranger, user=None))
    rollback = asking.rollback(served, user=None)
    env = environment(settings, tmp_path)
    builds = Build.objects.filter(app__name__startswith="app")
    with (
        celery_worker(env, tmp_path / "builder.log", threads=2, queue="builds"),
        celery_worker(env, tmp_path / "worker.log", threads=2, queue="celery"),
    ):
        until(lambda: builds.count() == 8, "all wait for their builds", seconds=BEGUN)
        until(lambda: len(running(SECONDS)) == 4, "the builder's threads are held", seconds=BEGUN)
        until(lambda: not is_open(rollback), "it is rolled back", seconds=BEGUN)
        assert rollback.status == "succeeded"
        assert all(map(is_open, waiting)) and all(build.is_open for build in builds)
        for build in builds:
            cancel_build(build, user=None)
        until(lambda: not any(map(is_open, waiting)), "the others hear of it", seconds=BEGUN)
    assert running(SECONDS) == []
    assert machine.nginx.get("shop").text == "v7"


def is_open(dispatch: Dispatch) -> bool:
    dispatch.refresh_from_db()
    return dispatch.is_open


def test_one_that_has_ended_stays_what_it_is(machine: Machine) -> None:
    build = machine.build("v1")
    with pytest.raises(CannotCancelBuild, match="its status is success already"):
        cancel_build(build, user=None)
