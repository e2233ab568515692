"""Atomic writes: the old file or the new one, never a part."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from vr.files.atomic import write_atomic


def test_content_mode_and_owner(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_atomic(path, "käse", mode=0o400, owner=(os.getuid(), os.getgid()))
    assert path.read_text(encoding="utf-8") == "käse"
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    write_atomic(path, b"new", mode=0o600)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "x").touch()
    with pytest.raises(IsADirectoryError):
        write_atomic(target, "x")
    assert list(tmp_path.iterdir()) == [target]
