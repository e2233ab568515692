"""Builds by the real builder, and dispatches that wait for them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.ports import free_port
from support.swarm_machine import ALIVE, APP, Machine
from vr import paths
from vr.server.builds import running
from vr.server.builds.asking import request_build
from vr.server.builds.tasks import run_build
from vr.server.files import store
from vr.server.files.bucket import bucket
from vr.server.jobs import unfinished
from vr.server.models import Build, Buildpack, BuildStatus, Dispatch, DispatchStatus, Event
from vr.server.swarming import asking, engine
from vr.settings.s3 import S3Address


@pytest.fixture
def repository(machine: Machine, tmp_path: Path) -> Path:
    """The shop in a git repository with the tags v1 and bad, whose compile fails."""
    folder = tmp_path / "shop"
    folder.mkdir()
    pack = tmp_path / "pack"
    _script(pack / "bin" / "detect", "[ -f $1/Procfile ] && echo Shop")
    _script(pack / "bin" / "compile", "cat $1/message; [ ! -f $1/broken ]")
    _script(pack / "bin" / "release", "echo 'config_vars: {VERSION: v1}'")
    (folder / "app.py").write_text(APP)
    (folder / "Procfile").write_text("web: python3 app.py\n")
    (folder / "message").write_text("mixing the dough\n")
    _script(folder / "uptests" / "web" / "01_alive", ALIVE)
    _git(folder, "init", "-q")
    _commit(folder, "v1")
    (folder / "broken").touch()
    _commit(folder, "bad")
    app = machine.app()
    app.repo_url = str(folder)
    app.buildpack = Buildpack.objects.create(repo_url=str(pack))
    app.save()
    return folder


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _commit(folder: Path, tag: str) -> None:
    _git(folder, "add", ".")
    _git(folder, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", tag)
    _git(folder, "tag", tag)


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def build_and_go_on(dispatch: Dispatch) -> None:
    """What the worker does: the dispatch waits, the build runs, the dispatch goes on."""
    assert engine.drive(dispatch.pk) is engine.Outcome.PARKED
    dispatch.refresh_from_db()
    run_build(dispatch.build_id)
    engine.drive(dispatch.pk)
    dispatch.refresh_from_db()


def test_a_dispatch_builds_what_was_never_built(
    machine: Machine, repository: Path, woken: list[str]
) -> None:
    dispatch = asking.dispatch(machine.swarm(), user=None)
    build_and_go_on(dispatch)
    assert dispatch.status == DispatchStatus.SUCCEEDED, (dispatch.error, dispatch.output)
    assert machine.nginx.get("shop").text == "v1"
    build = dispatch.build
    assert build is not None and build.status == BuildStatus.SUCCESS
    assert store.path_of(build.file).is_file()
    assert build.file == f"builds/shop-v1-{build.file_md5}.tar.gz"
    assert build.process_types == {"web": "python3 app.py"}
    assert "mixing the dough" in store.path_of(build.compile_log).read_text()
    assert woken.count("run_build") == 1 and "drive" in woken
    tags = [event.tags for event in Event.objects.filter(trace_id=dispatch.trace_id)]
    for expected in (["wait"], ["build"], ["build", "success"]):
        assert expected in tags


def test_a_failed_build_fails_all_who_wait_and_shows_the_end_of_its_log(
    machine: Machine, repository: Path
) -> None:
    first = asking.dispatch(machine.swarm(tag="bad"), user=None)
    second = asking.dispatch(machine.swarm(tag="bad", config_name="qa", pool="qa"), user=None)
    for dispatch in (first, second):
        assert engine.drive(dispatch.pk) is engine.Outcome.PARKED
    assert Build.objects.count() == 1
    run_build(Build.objects.get().pk)
    for dispatch in (first, second):
        machine.drive(dispatch)
        assert dispatch.status == DispatchStatus.FAILED
        assert "The build of shop-bad failed" in dispatch.error
        assert "mixing the dough" in dispatch.output
    assert machine.folders() == []
    # Another try is another build.
    again = asking.dispatch(first.swarm, user=None)
    assert engine.drive(again.pk) is engine.Outcome.PARKED
    assert Build.objects.count() == 2


def test_a_bucket_that_is_away_fails_the_build_and_says_so(
    machine: Machine, repository: Path, settings: Any
) -> None:
    app = machine.app()
    app.stack = None
    app.save()
    build = request_build(app, "v1", user=None)
    settings.S3 = S3Address("vr", f"http://127.0.0.1:{free_port()}", "us-east-1", "key", "secret")
    bucket.cache_clear()

    run_build(build.pk)

    build.refresh_from_db()
    assert build.status == BuildStatus.FAILED
    assert build.error.startswith("The file store does not answer")
    told = Event.objects.get(title=f"{build} failed")
    assert "Its log can't be read" in told.message
    bucket.cache_clear()


def test_an_unknown_tag_is_told(machine: Machine, repository: Path) -> None:
    dispatch = asking.dispatch(machine.swarm(), user=None, tag="v77")
    build_and_go_on(dispatch)
    assert dispatch.status == DispatchStatus.FAILED
    assert "v77" in dispatch.error
    assert not store.path_of(f"builds/.building/{dispatch.build_id}").exists()


def test_a_tarball_that_is_gone_is_built_again(machine: Machine, repository: Path) -> None:
    swarm = machine.swarm()
    build_and_go_on(asking.dispatch(swarm, user=None))
    first = Build.objects.get()
    store.path_of(first.file).unlink()
    build_and_go_on(asking.dispatch(swarm, user=None))
    assert Build.objects.count() == 2


def test_a_build_whose_worker_died_is_found_and_built_anew(
    machine: Machine, repository: Path
) -> None:
    build = request_build(machine.app(), "v1", user=None)
    # What a kill -9 leaves: begun, and a lease of a process that is gone.
    Build.objects.filter(pk=build.pk).update(
        status=BuildStatus.STARTED, lease_owner="elsewhere:1:1:x", lease_until=None
    )
    assert [one.pk for one in unfinished.builds()] == [build.pk]
    assert running.run(build.pk)
    build.refresh_from_db()
    assert build.status == BuildStatus.SUCCESS
    assert unfinished.builds() == []
    assert not running.run(build.pk)


def test_the_bundled_buildpacks_are_tried_in_their_order(machine: Machine) -> None:
    for order, name in enumerate(("procfile", "python")):
        Buildpack.objects.create(repo_url=str(paths.bundled("buildpacks") / name), order=-order)
    spec = running.spec_of(Build(app=machine.app(), tag="v1", image=machine.image))
    assert [url.rpartition("/")[2] for url in spec.buildpack_urls] == ["python", "procfile"]
    assert spec.image_md5 == machine.image.md5


def test_a_branch_that_moved_on_is_built_anew(machine: Machine, repository: Path) -> None:
    _git(repository, "checkout", "-q", "-b", "trunk", "v1")
    first = asking.dispatch(machine.swarm(tag="trunk"), user=None)
    build_and_go_on(first)
    assert first.status == DispatchStatus.SUCCEEDED, (first.error, first.output)
    again = asking.dispatch(first.swarm, user=None)
    machine.drive(again)
    assert again.build_id == first.build_id
    _script(repository / "more", "true")
    _commit(repository, "v9")
    moved = asking.dispatch(first.swarm, user=None)
    build_and_go_on(moved)
    assert moved.build is not None and first.build is not None
    assert moved.build_id != first.build_id
    assert moved.build.revision != first.build.revision
    # The repository can't be asked: what is there is taken, and that is told.
    repository.rename(repository.with_name("away"))
    last = asking.dispatch(first.swarm, user=None)
    machine.drive(last)
    assert last.build_id == moved.build_id
    assert Event.objects.filter(trace_id=last.trace_id, title__contains="earlier build").exists()
    assert "What was built before is taken" in last.note
