"""Unpack untrusted tarballs: all of it, inside its folder, or nothing."""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from vr.errors import VelociraptorError
from vr.files.archives import Action, Gate, Kind, Limits
from vr.files.checksums import CHUNK
from vr.files.compression import Damaged, open_compressed

_LONGEST_HEADER = 64 << 20


def unpack(
    tarball: Path,
    target_dir: Path,
    *,
    kind: Kind = "build",
    owner: tuple[int, int] | None = None,
    limits: Limits | None = None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Unpack a gz, bz2, xz, zst or plain tarball, known by its content, to the new `target_dir`.

    Everything belongs to `owner` (uid, gid) if given, else to whom the archive says. Builds lose
    setuid, setgid and sticky bits, and owner and group can read and write all files, as the
    original did; images keep their modes. Device nodes, fifos and sockets are left out.
    `target_dir` appears complete or not at all. Raises UnsafeArchive for entries that would leave
    the folder or exceed `limits`, VelociraptorError for damaged archives and full disks, and what
    `check` raises, which is called for each entry.
    """
    target_dir.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target: the rename must not cross file systems. 0700: nobody may meddle meanwhile.
    workshop = Path(tempfile.mkdtemp(prefix=f".unpack-{target_dir.name}-", dir=target_dir.parent))
    try:
        folder = workshop / "contents"
        folder.mkdir(mode=0o755)
        _fill(folder, tarball, Gate(str(tarball), kind, limits or Limits()), owner, check)
        try:
            folder.rename(target_dir)
        except OSError:
            raise VelociraptorError(f"{target_dir} is already there and not empty.") from None
    finally:
        shutil.rmtree(workshop)


def _fill(
    folder: Path,
    tarball: Path,
    gate: Gate,
    owner: tuple[int, int] | None,
    check: Callable[[], None],
) -> None:
    modes: dict[str, int] = {}
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    if owner:
        os.fchown(root, *owner)
    try:
        with open_compressed(tarball) as stream:
            source = _Forward(stream)
            with tarfile.TarFile(fileobj=source, errorlevel=2) as archive:  # type: ignore[arg-type]
                while (entry := archive.next()) is not None:
                    check()
                    # A million of them would not fit into memory.
                    archive.members.clear()  # type: ignore[attr-defined]
                    _place(root, gate, entry, source, owner, modes)
            while source.read(CHUNK):  # to the end, where the compressor keeps its own checksum
                pass
        # Last, and children before parents: a folder without the write bit could not be filled.
        for path, mode in reversed(modes.items()):
            os.chmod(path or ".", mode, dir_fd=root)
    except (tarfile.TarError, Damaged, EOFError) as error:
        raise VelociraptorError(
            f"{tarball} is no complete tarball: {error}.", hint="Build or upload it again."
        ) from None
    except RecursionError:
        # tarfile reads the header that a header announces within the reading of the first.
        raise VelociraptorError(
            f"{tarball} is no tarball of files: its headers announce headers without end.",
            hint="Build or upload it again.",
        ) from None
    except OSError as error:
        raise VelociraptorError(f"{tarball} can't be unpacked: {error}.") from None
    finally:
        os.close(root)


def _place(
    root: int,
    gate: Gate,
    entry: tarfile.TarInfo,
    source: _Forward,
    owner: tuple[int, int] | None,
    modes: dict[str, int],
) -> None:
    action, path = gate.admit(entry)
    if action is Action.SKIP:
        return
    uid, gid = owner or (entry.uid, entry.gid)
    if action is Action.FOLDER:
        _make_folder(root, path)
        modes[path] = _mode(entry, gate.kind)
        os.chown(path or ".", uid, gid, dir_fd=root, follow_symlinks=False)
        return
    _make_room(root, path)
    if action is Action.SYMLINK:
        os.symlink(entry.linkname, path, dir_fd=root)
        os.chown(path, uid, gid, dir_fd=root, follow_symlinks=False)
    elif action is Action.HARDLINK:
        os.link(
            gate.link_target(entry), path, src_dir_fd=root, dst_dir_fd=root, follow_symlinks=False
        )
    else:
        _write_file(root, path, entry, source, uid, gid, _mode(entry, gate.kind))


def _write_file(
    root: int, path: str, entry: tarfile.TarInfo, source: _Forward, uid: int, gid: int, mode: int
) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600, dir_fd=root)
    try:
        source.seek(entry.offset_data)
        left = entry.size
        while left:
            chunk = source.read(min(left, CHUNK))
            if not chunk:
                raise EOFError(f"it ends inside the entry {entry.name!r}")
            left -= len(chunk)
            while chunk:
                chunk = chunk[os.write(descriptor, chunk) :]
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)  # after chown, which clears setuid
        # Python's compiled files are valid for one modification time of their source only.
        os.utime(descriptor, (entry.mtime, entry.mtime))
    finally:
        os.close(descriptor)


def _make_folder(root: int, path: str) -> None:
    if not path:
        return
    try:
        os.mkdir(path, 0o755, dir_fd=root)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path, dir_fd=root).st_mode):
            os.unlink(path, dir_fd=root)
            os.mkdir(path, 0o755, dir_fd=root)
    except FileNotFoundError:
        _make_folder(root, posixpath.dirname(path))
        os.mkdir(path, 0o755, dir_fd=root)


def _make_room(root: int, path: str) -> None:
    """The parent folder exists and nothing is at `path` (the last of equal names wins)."""
    parent = posixpath.dirname(path)
    try:
        os.unlink(path, dir_fd=root)
    except FileNotFoundError:
        if parent and not _exists(root, parent):
            _make_folder(root, parent)


def _exists(root: int, path: str) -> bool:
    try:
        os.lstat(path, dir_fd=root)
    except FileNotFoundError:
        return False
    return True


def _mode(entry: tarfile.TarInfo, kind: Kind) -> int:
    if kind == "image":
        return entry.mode & 0o7777
    return (entry.mode & 0o777) | (0o750 if entry.isdir() else 0o660)


class _Forward:
    """A stream as tarfile wants it: it asks for seeks, but only ever forwards."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._position = 0

    def tell(self) -> int:
        return self._position

    def read(self, size: int = CHUNK) -> bytes:
        # A negative one would be all that is left, at once in memory.
        if not 0 <= size <= _LONGEST_HEADER:
            raise Damaged(f"it has a header of {size} bytes")
        data = self._stream.read(size)
        self._position += len(data)
        return data

    def seek(self, position: int, whence: int = 0) -> int:
        if whence != os.SEEK_SET or position < self._position:
            raise Damaged(f"an entry points back to byte {position}")
        while self._position < position:
            if not self.read(min(position - self._position, CHUNK)):
                raise EOFError("it ends early")
        return self._position
