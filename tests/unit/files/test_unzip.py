"""Zip files: unpacked with modes, times and links, or not at all."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from vr.errors import VelociraptorError
from vr.files.archives import Limits, UnsafeArchive
from vr.files.unzip import unzip


def make(path: Path, *entries: tuple[str, bytes, int]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in entries:
            entry = zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6))
            entry.create_system, entry.external_attr = 3, mode << 16
            archive.writestr(entry, content)
    return path


def test_modes_links_and_dotfiles_are_kept(tmp_path: Path) -> None:
    archive = make(
        tmp_path / "app.zip",
        ("bin/run", b"#!/bin/sh", 0o100755),
        ("link", b"bin/run", stat.S_IFLNK | 0o777),
        (".dot", b"x", 0o100600),
        ("setuid", b"x", 0o104755),
        ("empty/", b"", 0o40755),
        ("fifo", b"", stat.S_IFIFO | 0o644),
    )
    target = tmp_path / "app"
    unzip(archive, target)
    assert (target / "bin/run").stat().st_mode & 0o7777 == 0o755
    assert (target / "link").readlink() == Path("bin/run")
    assert (target / ".dot").read_text() == "x"
    assert (target / "setuid").stat().st_mode & 0o7777 == 0o755
    assert (target / "empty").is_dir() and not (target / "fifo").exists()
    assert 1577900000 < (target / ".dot").stat().st_mtime < 1578100000


@pytest.mark.parametrize(
    "entry",
    [
        ("../x", b"", 0o100644),
        ("a\\..\\..\\x", b"", 0o100644),
        ("/x", b"", 0o100644),
        ("x", b"../y", stat.S_IFLNK | 0o777),
        ("x", b"y" * 2000, 0o100644),
    ],
)
def test_nothing_is_left_of_a_dangerous_one(tmp_path: Path, entry: tuple[str, bytes, int]) -> None:
    archive = make(tmp_path / "app.zip", ("good", b"x", 0o100644), entry)
    with pytest.raises(UnsafeArchive):
        unzip(archive, tmp_path / "app", limits=Limits(1000, 10))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.zip"]


def test_a_truncated_one_is_an_error(tmp_path: Path) -> None:
    archive = make(tmp_path / "app.zip", ("good", b"x", 0o100644))
    archive.write_bytes(archive.read_bytes()[:-10])
    with pytest.raises(VelociraptorError, match="no complete, readable zip file"):
        unzip(archive, tmp_path / "app")
