"""Zip files: unpacked with modes, times and links, or not at all."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import zipfile
import zlib
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


def test_only_the_caller_gets_into_the_new_folder(tmp_path: Path) -> None:
    unzip(make(tmp_path / "app.zip", ("good", b"x", 0o100644)), tmp_path / "app")
    unzip(make(tmp_path / "none.zip"), tmp_path / "none")
    assert (tmp_path / "app").stat().st_mode & 0o777 == 0o700
    assert list((tmp_path / "none").iterdir()) == []


def test_the_last_of_equal_names_wins_and_folders_may_come_without_those_above(
    tmp_path: Path,
) -> None:
    entries = [("a/b/", b"", 0o40750), ("c/d/x", b"old", 0o100644), ("c/d/x", b"new", 0o100600)]
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = make(tmp_path / "app.zip", *entries, ("a/b/", b"", 0o40700))
    unzip(archive, tmp_path / "app")
    assert (tmp_path / "app/a/b").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "app/c/d/x").read_text() == "new"


def unusual(path: Path, name: str, *, system: int = 0, attributes: int = 0x20, extra: bytes = b""):
    """A zip file of one file whose entry has these fields."""
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = entry.orig_filename = name
        entry.create_system, entry.external_attr, entry.extra = system, attributes, extra
        archive.writestr(entry, b"")
    return path


@pytest.mark.parametrize("system", [0, 6, 10, 14])
def test_systems_of_dos_have_backslashes_and_folders_by_attribute(
    tmp_path: Path, system: int
) -> None:
    unzip(unusual(tmp_path / "1.zip", "a\\b", system=system), tmp_path / "1")
    assert (tmp_path / "1/a/b").stat().st_mode & 0o777 == 0o644
    unzip(unusual(tmp_path / "2.zip", "a/b\\c", system=system), tmp_path / "2")
    assert (tmp_path / "2/a/b\\c").is_file()
    unzip(unusual(tmp_path / "3.zip", "a", system=system, attributes=0x10), tmp_path / "3")
    assert (tmp_path / "3/a").is_dir()
    unzip(unusual(tmp_path / "4.zip", "a", system=system, attributes=0x21), tmp_path / "4")
    assert (tmp_path / "4/a").is_file()


def test_on_unix_backslashes_and_attributes_of_dos_say_nothing(tmp_path: Path) -> None:
    unzip(unusual(tmp_path / "1.zip", "a\\b", system=3, attributes=0x10), tmp_path / "1")
    assert (tmp_path / "1/a\\b").is_file()


def test_a_name_ends_where_c_ends_it(tmp_path: Path) -> None:
    unzip(unusual(tmp_path / "1.zip", "a.txt\0.png"), tmp_path / "1")
    assert [path.name for path in (tmp_path / "1").iterdir()] == ["a.txt"]


def unicode_name(name: str, raw: bytes, *, version: int = 1) -> bytes:
    """The extra field of Info-ZIP that says what `raw` is in UTF-8."""
    data = struct.pack("<BI", version, zlib.crc32(raw)) + name.encode()
    return struct.pack("<HH", 0x7075, len(data)) + data


def test_the_unicode_name_of_info_zip_counts_if_it_is_of_this_name(tmp_path: Path) -> None:
    times = struct.pack("<HHBI", 0x5455, 5, 1, 1_577_934_245)
    of_this, of_another = unicode_name("日本", b"__"), unicode_name("evil", b"xx")
    newer = unicode_name("evil", b"__", version=2)
    for number, (extra, name) in enumerate(
        [
            (of_this, "日本"),
            (times + of_another + of_this + times, "日本"),
            (of_another, "__"),
            (newer, "__"),
            (b"\x76" + of_this[1:], "__"),
        ]
    ):
        unzip(unusual(tmp_path / f"{number}.zip", "__", extra=extra), tmp_path / str(number))
        assert [path.name for path in (tmp_path / str(number)).iterdir()] == [name]


def test_an_entry_that_ends_in_a_slash_is_a_folder_whatever_else_it_says(tmp_path: Path) -> None:
    unzip(unusual(tmp_path / "1.zip", "a/", system=3, attributes=0x20), tmp_path / "1")
    assert (tmp_path / "1/a").stat().st_mode & 0o777 == 0o755


def test_an_entry_that_is_shorter_than_it_says_is_an_error(tmp_path: Path) -> None:
    archive = make(tmp_path / "app.zip", ("x", b"y" * 100, 0o100644))
    content = bytearray(archive.read_bytes())
    place = content.rindex(b"PK\1\2") + 24  # its size, in the directory at the end
    content[place : place + 4] = struct.pack("<I", 101)
    archive.write_bytes(content)
    with pytest.raises(VelociraptorError, match="the entry 'x' is shorter than it says"):
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


def test_what_the_file_system_refuses_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    archive = make(tmp_path / "app.zip", ("good", b"x", 0o100644), ("n" * 300, b"x", 0o100644))
    with pytest.raises(VelociraptorError, match=r"app.zip can't be unpacked: .*File name too long"):
        unzip(archive, tmp_path / "app")
    assert [path.name for path in tmp_path.iterdir()] == ["app.zip"]
