"""Zip files: unpacked with modes, times and links, or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
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
        ("/x", b"", 0o100644),
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


def made_on_windows(path: Path, *names: str) -> Path:
    """As .NET and older tools write it: DOS attributes, no modes, backslashes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            entry = zipfile.ZipInfo("placeholder")
            entry.filename = entry.orig_filename = name
            entry.create_system = 0
            entry.external_attr = 0x10 if name.endswith("\\") else 0x20
            archive.writestr(entry, b"" if name.endswith("\\") else b"x")
    return path


def test_backslashes_of_windows_separate_folders(tmp_path: Path) -> None:
    archive = made_on_windows(tmp_path / "app.zip", "src\\", "src\\main.py", "empty\\")
    unzip(archive, tmp_path / "app")
    assert (tmp_path / "app/src/main.py").read_text() == "x"
    assert (tmp_path / "app/empty").is_dir()
    assert (tmp_path / "app/src").stat().st_mode & 0o777 == 0o755


def test_backslashes_of_windows_lead_nowhere_else(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive):
        unzip(made_on_windows(tmp_path / "app.zip", "a\\..\\..\\x"), tmp_path / "app")


def test_a_link_that_points_outside_stays_a_link(tmp_path: Path) -> None:
    unzip(make(tmp_path / "app.zip", ("x", b"../y", stat.S_IFLNK | 0o777)), tmp_path / "app")
    assert (tmp_path / "app/x").readlink() == Path("../y")


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_what_zip_packs_comes_out_as_unzip_unpacks_it(tmp_path: Path, locale: str) -> None:
    source = tmp_path / "source"
    for name, mode in {"größe/naïve.txt": 0o640, "日本/run": 0o755, "back\\slash": 0o600}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
        (source / name).chmod(mode)
    (source / "empty").mkdir(mode=0o750)
    (source / "link").symlink_to("größe/naïve.txt")
    env = {"PATH": os.environ["PATH"], "LC_ALL": locale}
    archive, expected = tmp_path / "app.zip", tmp_path / "expected"
    subprocess.run(["zip", "-qry", archive, "."], cwd=source, env=env, check=True)
    env["LC_ALL"] = "C.UTF-8"
    subprocess.run(["unzip", "-q", archive, "-d", expected], env=env, check=True)
    unzip(archive, tmp_path / "app")
    assert listing(tmp_path / "app") == listing(expected) == listing(source)


def listing(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.lstat().st_mode for path in folder.rglob("*")}


def test_a_name_that_is_not_in_the_encoding_it_claims_is_refused(tmp_path: Path) -> None:
    archive = make(tmp_path / "app.zip", ("é", b"x", 0o100644))
    archive.write_bytes(archive.read_bytes().replace("é".encode(), b"\xa9\xa9"))
    with pytest.raises(VelociraptorError, match="no complete, readable zip"):
        unzip(archive, tmp_path / "app")
    assert [path.name for path in tmp_path.iterdir()] == ["app.zip"]
