"""Unpacking: everything inside its folder, or nothing at all."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from vr.errors import VelociraptorError
from vr.files.archives import Limits, UnsafeArchive
from vr.files.unpack import unpack

ME = (os.getuid(), os.getgid())


@pytest.fixture
def tarball(tmp_path: Path) -> Callable[..., Path]:
    def make(*entries: tuple[str, bytes, str | bytes], mode: str = "w:gz") -> Path:
        path = tmp_path / "archive"
        with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
            for name, kind, content in entries:
                info = tarfile.TarInfo(name)
                info.type, info.mtime, info.mode = kind, 1_000_000_000, 0o644
                if isinstance(content, bytes):
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
                else:
                    info.linkname = content
                    archive.addfile(info)
        return path

    return make


def left_overs(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.iterdir() if path.name != "archive")


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz", "w:"])
def test_every_compression_is_known_by_content(
    tarball: Callable[..., Path], tmp_path: Path, mode: str
) -> None:
    unpack(tarball(("a/b", tarfile.REGTYPE, b"text"), mode=mode), tmp_path / "out")
    assert (tmp_path / "out/a/b").read_bytes() == b"text"
    assert left_overs(tmp_path) == ["out"]


def test_zstd(tarball: Callable[..., Path], tmp_path: Path) -> None:
    plain = tarball(("a", tarfile.REGTYPE, b"text" * 100_000), mode="w:")
    subprocess.run(["zstd", "-q", str(plain), "-o", str(tmp_path / "archive.zst")], check=True)
    unpack(tmp_path / "archive.zst", tmp_path / "out")
    assert (tmp_path / "out/a").read_bytes() == b"text" * 100_000


def test_builds_lose_special_modes_and_keep_times(
    tarball: Callable[..., Path], tmp_path: Path
) -> None:
    path = tarball(("run", tarfile.REGTYPE, b""), mode="w:gz")
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("run")
        info.mode, info.mtime = 0o6755, 1_000_000_000
        archive.addfile(info)
    unpack(path, tmp_path / "out", owner=ME)
    status = (tmp_path / "out/run").stat()
    assert stat.S_IMODE(status.st_mode) == 0o775
    assert status.st_mtime == 1_000_000_000


def test_images_keep_their_modes_and_leave_out_nodes(
    tarball: Callable[..., Path], tmp_path: Path
) -> None:
    path = tarball()
    with tarfile.open(path, "w") as archive:
        for name, kind, mode in [
            ("su", tarfile.REGTYPE, 0o4755),
            ("tmp", tarfile.DIRTYPE, 0o1777),
            ("full", tarfile.CHRTYPE, 0o666),
            ("pipe", tarfile.FIFOTYPE, 0o666),
        ]:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, mode
            info.uid, info.gid = ME
            archive.addfile(info)
    unpack(path, tmp_path / "out", kind="image")
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "out").iterdir()}
    assert modes == {"su": 0o4755, "tmp": 0o1777}


def test_hard_links_stay_links_and_the_last_of_equal_names_wins(
    tarball: Callable[..., Path], tmp_path: Path
) -> None:
    path = tarball(
        ("a", tarfile.REGTYPE, b"old"),
        ("a", tarfile.REGTYPE, b"new"),
        ("b", tarfile.LNKTYPE, "a"),
        ("c", tarfile.SYMTYPE, "a"),
        ("c", tarfile.REGTYPE, b"no link any more"),
    )
    unpack(path, tmp_path / "out")
    out = tmp_path / "out"
    assert (out / "a").read_text() == "new"
    assert (out / "a").samefile(out / "b")
    assert not (out / "c").is_symlink()


@pytest.mark.parametrize(
    "bad",
    [
        ("../x", tarfile.REGTYPE, b"x"),
        ("/tmp/vr-evil", tarfile.REGTYPE, b"x"),
        ("l", tarfile.LNKTYPE, "/etc/passwd"),
    ],
)
def test_an_evil_entry_leaves_nothing(
    tarball: Callable[..., Path], tmp_path: Path, bad: tuple[str, bytes, str | bytes]
) -> None:
    path = tarball(("good", tarfile.REGTYPE, b"x"), bad)
    with pytest.raises(UnsafeArchive, match="is refused"):
        unpack(path, tmp_path / "out")
    assert left_overs(tmp_path) == []


def test_writing_through_a_link_of_the_archive_never_happens(
    tarball: Callable[..., Path], tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    path = tarball(("link", tarfile.SYMTYPE, str(victim)), ("link/planted", tarfile.REGTYPE, b"x"))
    with pytest.raises(UnsafeArchive, match="symbolic link 'link'"):
        unpack(path, tmp_path / "out")
    assert not any(victim.iterdir())


def test_an_archive_beyond_the_limit_leaves_nothing(
    tarball: Callable[..., Path], tmp_path: Path
) -> None:
    path = tarball(("big", tarfile.REGTYPE, b"x" * 1000))
    with pytest.raises(UnsafeArchive, match="more than 999 bytes"):
        unpack(path, tmp_path / "out", limits=Limits(size=999))
    assert left_overs(tmp_path) == []


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz", "w:"])
def test_a_truncated_archive_is_an_error_that_leaves_nothing(
    tarball: Callable[..., Path], tmp_path: Path, mode: str
) -> None:
    path = tarball(("a", tarfile.REGTYPE, os.urandom(200_000)), mode=mode)
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(VelociraptorError, match="no complete tarball"):
        unpack(path, tmp_path / "out")
    assert left_overs(tmp_path) == []


def test_what_is_no_archive_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(VelociraptorError, match="no complete tarball"):
        unpack(tmp_path / "archive", tmp_path / "out")
    with pytest.raises(VelociraptorError, match="does not exist"):
        unpack(tmp_path / "nowhere", tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_headers_that_announce_headers_without_end_are_refused(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 4
    blocks = header.tobuf(tarfile.GNU_FORMAT) + b"8 a=b\n".ljust(512, b"\0")
    (tmp_path / "archive").write_bytes(blocks * 5000)
    with pytest.raises(VelociraptorError, match="archive"):
        unpack(tmp_path / "archive", tmp_path / "out")
    assert left_overs(tmp_path) == []


def made_of(path: Path, *entries: tuple[str, bytes, int]) -> Path:
    """A tarball of entries with these modes, all of uid 1234 and gid 1235."""
    with tarfile.open(path, "w") as archive:
        for name, kind, mode in entries:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.uid, info.gid = kind, mode, 1234, 1235
            info.linkname = "/etc/hostname"
            archive.addfile(info)
    return path


def owners(folder: Path) -> dict[str, tuple[int, int]]:
    found = {path.name: path.lstat() for path in (folder, *folder.rglob("*"))}
    return {name: (status.st_uid, status.st_gid) for name, status in found.items()}


def test_all_belongs_to_the_owner_else_to_whom_the_archive_says(tmp_path: Path) -> None:
    archive = made_of(
        tmp_path / "archive",
        ("folder", tarfile.DIRTYPE, 0o755),
        ("folder/file", tarfile.REGTYPE, 0o644),
        ("link", tarfile.SYMTYPE, 0o777),
    )
    before = Path("/etc/hostname").stat()
    unpack(archive, tmp_path / "mine", owner=(2001, 2002))
    assert set(owners(tmp_path / "mine").values()) == {(2001, 2002)}
    unpack(archive, tmp_path / "its", kind="image")
    said = owners(tmp_path / "its")
    assert said == {"its": ME, **dict.fromkeys(("folder", "file", "link"), (1234, 1235))}
    after = Path("/etc/hostname").stat()
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_folders_that_the_archive_does_not_name_are_made_for_all_to_read(tmp_path: Path) -> None:
    archive = made_of(
        tmp_path / "archive",
        ("a/b/c", tarfile.DIRTYPE, 0o700),
        ("d/e", tarfile.REGTYPE, 0o604),
    )
    target = tmp_path / "new" / "er" / "out"
    unpack(archive, target)
    made = {
        str(path.relative_to(target)): stat.S_IMODE(path.stat().st_mode)
        for path in (target, *target.rglob("*"))
    }
    unnamed = dict.fromkeys((".", "a", "a/b", "d"), 0o755)
    assert made == {**unnamed, "a/b/c": 0o750, "d/e": 0o664}


def test_the_folder_itself_has_the_mode_and_the_owner_that_the_archive_says(tmp_path: Path) -> None:
    archive = made_of(tmp_path / "archive", ("./", tarfile.DIRTYPE, 0o711))
    unpack(archive, tmp_path / "out", kind="image")
    status = (tmp_path / "out").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o711, 1234, 1235)


def test_a_folder_takes_the_place_of_a_file_and_of_a_link(tmp_path: Path) -> None:
    archive = made_of(
        tmp_path / "archive",
        ("a", tarfile.REGTYPE, 0o644),
        ("a", tarfile.DIRTYPE, 0o755),
        ("a/file", tarfile.REGTYPE, 0o644),
        ("b", tarfile.SYMTYPE, 0o777),
        ("b", tarfile.DIRTYPE, 0o755),
        ("b", tarfile.DIRTYPE, 0o700),  # named twice, it stays
        ("b/file", tarfile.REGTYPE, 0o644),
    )
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out/a/file").is_file() and (tmp_path / "out/b/file").is_file()


def test_a_hard_link_to_a_link_is_that_link(tarball: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("x")
    one = ("one", tarfile.SYMTYPE, str(tmp_path / "victim"))
    unpack(tarball(one, ("two", tarfile.LNKTYPE, "one")), tmp_path / "out")
    assert (tmp_path / "out/two").is_symlink()


def test_a_header_of_more_than_64_mib_is_refused_unread(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, (64 << 20) + 512
    (tmp_path / "archive").write_bytes(header.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(VelociraptorError, match=f"a header of {header.size} bytes"):
        unpack(tmp_path / "archive", tmp_path / "out")


def test_no_descriptor_is_left_open(tarball: Callable[..., Path], tmp_path: Path) -> None:
    good = tarball(("a", tarfile.REGTYPE, b"x"), ("b/c", tarfile.REGTYPE, b"x"))
    before = len(list(Path("/proc/self/fd").iterdir()))
    unpack(good, tmp_path / "out")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_folder_that_is_there_already_is_left_as_it_is(
    tarball: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()
    with pytest.raises(VelociraptorError, match="out is already there and not empty"):
        unpack(tarball(("new", tarfile.REGTYPE, b"x")), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["old"]
    assert left_overs(tmp_path) == ["out"]


def test_what_the_file_system_refuses_is_told_and_leaves_nothing(
    tarball: Callable[..., Path], tmp_path: Path
) -> None:
    path = tarball(("good", tarfile.REGTYPE, b"x"), ("n" * 300, tarfile.REGTYPE, b"x"))
    with pytest.raises(VelociraptorError, match=r"archive can't be unpacked: .*File name too long"):
        unpack(path, tmp_path / "out")
    assert left_overs(tmp_path) == []


@pytest.mark.parametrize("size", [-1, -511, -512, -1024])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_header_that_says_a_negative_size_is_refused_unread(
    tmp_path: Path, kind: bytes, size: int
) -> None:
    """Read as such, it would be all the rest, at once in memory."""
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, size
    (tmp_path / "archive").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + b"y" * 10_000)
    with pytest.raises(VelociraptorError, match="archive"):
        unpack(tmp_path / "archive", tmp_path / "out")
    assert left_overs(tmp_path) == []


def test_nothing_is_put_below_a_file(tarball: Callable[..., Path], tmp_path: Path) -> None:
    path = tarball(("a", tarfile.REGTYPE, b"x"), ("a/b", tarfile.REGTYPE, b"x"))
    with pytest.raises(VelociraptorError, match=r"archive can't be unpacked: .*Not a directory"):
        unpack(path, tmp_path / "out")
    assert left_overs(tmp_path) == []
