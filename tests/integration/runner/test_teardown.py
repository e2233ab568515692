"""vrun teardown: all of a proc gone, whatever happened before."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from vr.paths import Root


def test_twice_is_fine_and_layers_stay(
    proc: Callable[..., Any], build: Callable[..., Any], root: Root
) -> None:
    keys = build({"Procfile": "web: true"})
    one = proc(**keys, proc_name="web").setup()
    for _ in range(2):
        assert one.vrun("teardown").returncode == 0
        assert not one.paths.folder.exists()
    assert list(root.layers.glob(f"{keys['build_md5']}-*"))


def test_a_missing_file_is_an_error_with_its_path(proc: Callable[..., Any]) -> None:
    one = proc(cmd="true")
    done = one.vrun("teardown")
    assert done.returncode == 0
    text = one.file.read_text()
    one.file.unlink()
    done = one.vrun("teardown")
    assert done.returncode == 1
    assert f"{one.file} does not exist" in done.stderr
    one.file.write_text(text)


def test_a_folder_half_made_or_half_removed_is_finished(proc: Callable[..., Any]) -> None:
    one = proc(cmd="true").setup()
    inside = one.paths.proc_yaml
    shutil.copy(one.file, inside)
    for remove in ("launch", "setup.json", "proc.lxc", "env", "mounts", "rootfs"):
        path = one.paths.folder / remove
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        text = inside.read_text()
        done = one.vrun("teardown") if remove == "rootfs" else None
        assert inside.read_text() == text if done is None else not inside.exists()
    assert not one.paths.folder.exists()


def test_an_empty_folder_left_by_a_kill_is_finished(proc: Callable[..., Any]) -> None:
    one = proc(cmd="true")
    one.paths.folder.mkdir(parents=True)
    inside = type(one)(one.paths.proc_yaml, one.root)
    assert inside.vrun("teardown").returncode == 0
    assert not one.paths.folder.exists()


@pytest.mark.parametrize("wrong", ["env: {1A: x}", "mem_limit: much", "user: root", "volumes: 3"])
def test_of_a_file_only_the_name_needs_to_be_valid(proc: Callable[..., Any], wrong: str) -> None:
    one = proc(cmd="true").setup()
    folder, valid = one.paths.folder, one.file.read_text()
    one.file.write_text(f"{valid}{wrong}\n")
    assert one.vrun("teardown").returncode == 0
    assert not folder.exists()
    one.file.write_text(valid)


def test_a_file_that_names_no_proc_is_refused(proc: Callable[..., Any]) -> None:
    one = proc(cmd="true").setup()
    valid = one.file.read_text()
    one.file.write_text("app_name: shop\n")
    done = one.vrun("teardown")
    assert done.returncode == 2
    assert "version: is missing" in done.stderr
    one.file.write_text(valid)
    assert one.paths.folder.exists()


def test_a_proc_whose_file_is_not_valid_any_more_can_still_go(proc: Callable[..., Any]) -> None:
    one = proc(cmd="true").setup()
    inside = type(one)(one.paths.proc_yaml, one.root)
    inside.file.write_text(one.file.read_text() + "env: {1A: x}\n")
    assert inside.vrun("teardown").returncode == 0
    assert not one.paths.folder.exists()
