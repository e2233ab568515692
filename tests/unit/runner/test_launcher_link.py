"""The short way to a launcher: only while the file is the one that was set up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vr.paths import DEFAULT_ROOT, Root
from vr.runner import launcher_link, main


@pytest.fixture
def ready(tmp_path: Path) -> tuple[Path, Path, Root]:
    file, launcher = tmp_path / "my.yaml", tmp_path / "launch"
    file.write_text("app_name: a\n")
    launcher.write_text("#!/bin/sh\n")
    root = Root(tmp_path / "apps")
    launcher_link.remember(file, launcher, root)
    return file, launcher, root


def test_the_launcher_of_an_unchanged_file_is_found(ready: tuple[Path, Path, Root]) -> None:
    file, launcher, root = ready
    assert launcher_link.find(str(file), str(root.ready)) == str(launcher)
    launcher_link.remember(file, launcher, root)
    assert launcher_link.find(str(file), str(root.ready)) == str(launcher)


def test_a_changed_file_takes_the_long_way(ready: tuple[Path, Path, Root]) -> None:
    file, _launcher, root = ready
    os.utime(file)
    assert launcher_link.find(str(file), str(root.ready)) is None


def test_a_missing_file_or_launcher_takes_the_long_way(ready: tuple[Path, Path, Root]) -> None:
    file, launcher, root = ready
    launcher.unlink()
    assert launcher_link.find(str(file), str(root.ready)) is None
    assert launcher_link.find(str(file) + "x", str(root.ready)) is None
    launcher_link.forget(file, root)
    launcher_link.forget(file, root)
    assert list(root.ready.iterdir()) == []


def test_it_looks_where_setup_leaves_the_links() -> None:
    # main.py spells it out, because importing vr.paths takes longer than all the rest.
    source = Path(main.__file__).read_text()
    assert f"'{DEFAULT_ROOT}'}}/{Root(Path('/')).ready.name}" in source
