"""vrun gc: what no proc needs goes, what anybody uses stays, whatever was killed before."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vr.files.locks import Lock
from vr.paths import Root
from vr.runner.gc import collect
from vr.runner.layers import lock_file


def layers(root: Root) -> set[str]:
    return {path.name for path in root.layers.iterdir()}


@pytest.fixture
def alone(proc: Callable[..., Any], root: Root, tmp_path: Path) -> Callable[..., Any]:
    """Procs in a root of their own, without an image, so that gc meets nothing else."""

    def make(**keys: Any) -> Any:
        one = proc(precise=True, **keys)
        one.root = Root(tmp_path / "apps")
        return one

    return make


def test_layers_go_when_their_last_proc_is_gone(
    alone: Callable[..., Any], build: Callable[..., Any]
) -> None:
    keys = build({"f": "x"})
    first, second = alone(**keys, cmd="true").setup(), alone(**keys, cmd="true").setup()
    other = alone(**build({"f": "y"}), cmd="true").setup()
    assert len(layers(first.root)) == 2
    first.vrun("teardown")
    other.vrun("teardown")
    done = first.vrun_alone("gc", "--dry-run")
    assert done.stdout.count("would remove") == 2 and len(layers(first.root)) == 2
    done = first.vrun_alone("gc")
    assert done.returncode == 0, done.stderr
    assert layers(first.root) == {f"{keys['build_md5']}-65534-65534"}
    assert second.launch().process.wait(30) == 0
    second.vrun("teardown")
    first.vrun_alone("gc")
    assert layers(first.root) == set()
    assert not [path for path in first.root.locks.iterdir() if "65534" in path.name]


def test_a_running_proc_and_a_shell_in_replaced_layers_are_left_alone(
    alone: Callable[..., Any], build: Callable[..., Any]
) -> None:
    one = alone(**build({"f": "old"}), cmd="echo ready; sleep 1000").setup()
    running = one.launch()
    running.shows("ready")
    shell = subprocess.Popen(
        one.command("shell", str(one.file)),
        env=one.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with shell:
        assert shell.stdin and shell.stdout
        shell.stdin.write("echo in\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == "in\n"
        running.stop()
        one.change(**build({"f": "new"}))
        one.setup()
        one.vrun_alone("gc")
        assert len(layers(one.root)) == 2
        shell.stdin.write("cat f; exit\n")
        shell.stdin.flush()
        assert shell.stdout.read() == "old"
    one.vrun_alone("gc")
    assert len(layers(one.root)) == 1


def test_a_setup_at_work_keeps_its_layer(
    alone: Callable[..., Any], build: Callable[..., Any]
) -> None:
    one = alone(**build({"Procfile": "web: true"}), proc_name="web").setup()
    one.vrun("teardown")
    # Many setups beside many collections: each must end with a proc that runs.
    for round_number in range(4):
        again = alone(**build({"Procfile": "web: cat kept", "kept": str(round_number)}))
        again.change(proc_name="web")
        again.setup()
        again.vrun("teardown")
        setup = subprocess.Popen(again.command("setup", str(again.file)), env=again.environment)
        with setup:
            while setup.poll() is None:
                list(collect(again.root))
        assert setup.returncode == 0
        running = again.launch()
        assert running.process.wait(30) == 0, running.output
        assert running.output == str(round_number)


def test_what_killed_processes_left_is_removed(
    alone: Callable[..., Any], build: Callable[..., Any]
) -> None:
    one = alone(**build({"f": "x"}), cmd="true").setup()
    root: Root = one.root
    for name in (".gone-abc", ".new-abc", ".new-busy"):
        (root.layers / name / "app").mkdir(parents=True)
    (root.ready / "1-2").symlink_to("/nowhere")
    with Lock(lock_file(root.layers / "busy", root.locks)):
        done = one.vrun_alone("gc")
    assert done.returncode == 0, done.stderr
    assert {name for name in layers(root) if name.startswith(".")} == {".new-busy"}
    assert len(list(root.ready.iterdir())) == 1


def test_old_downloads_go_and_those_of_used_layers_stay(
    alone: Callable[..., Any], build: Callable[..., Any]
) -> None:
    keys = build({"f": "x"})
    one = alone(**keys, cmd="true").setup()
    root: Root = one.root
    root.builds.mkdir(exist_ok=True)
    used = root.builds / f"{keys['build_md5'][:12]}-build.tar.gz"
    old, young = root.builds / "0123456789ab-a.tar.gz", root.builds / "0123456789ab-b.tar.gz"
    for file in (used, old, young):
        file.write_bytes(b"x")
    for file in (used, old):
        os.utime(file, (1, 1))
    one.vrun_alone("gc")
    assert set(root.builds.iterdir()) == {used, young}


def test_a_damaged_record_stops_it_before_anything_is_removed(
    alone: Callable[..., Any], build: Callable[..., Any]
) -> None:
    one = alone(**build({"f": "x"}), cmd="true").setup()
    (one.paths.folder / "setup.json").write_text("{")
    done = one.vrun_alone("gc")
    assert done.returncode == 1 and "setup.json is damaged" in done.stderr
    assert len(layers(one.root)) == 1
