"""Pack folders into tarballs: the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from vr.errors import VelociraptorError
from vr.files.archives import Kind
from vr.files.checksums import CHUNK

_EPOCH = 315532800
"""1980-01-01 UTC, the time of every file in a build: zip files can't hold an earlier one, and
Python tools write zips of what they find."""


def pack(
    folder: Path,
    target_tarball: Path,
    *,
    kind: Kind = "build",
    exclude: Callable[[str], bool] | None = None,
    prefix: str = "",
    sync: bool = True,
) -> str:
    """Pack what `folder` contains into a gzipped tarball; returns its hex MD5.

    Entries are named relative to the folder, after `prefix`, and sorted. For a build, times are
    fixed and all belongs to root, so that equal content gives equal bytes; for an image they are
    kept, because they are part of the system. Hard links stay links; device nodes, fifos and
    sockets are left out. `exclude` gets each relative path and says whether to leave it (with all
    below it) out. Without `sync` it may be lost when the machine fails, not when the process does.
    The tarball appears complete or not at all.
    """
    from isal import igzip_threaded

    descriptor, temporary = tempfile.mkstemp(
        prefix=f".{target_tarball.name}.", dir=target_tarball.parent
    )
    try:
        with os.fdopen(descriptor, "wb") as raw:
            hashing = _Hashing(raw)
            # Opened by object, isal writes neither name nor time into the header.
            with (
                igzip_threaded.open(  # type: ignore[no-untyped-call]
                    hashing, "wb", compresslevel=2, threads=1
                ) as compressed,
                tarfile.TarFile(
                    fileobj=_Positioned(compressed),  # type: ignore[arg-type]
                    mode="w",
                    format=tarfile.PAX_FORMAT,
                    copybufsize=CHUNK,
                ) as archive,
            ):
                _add_all(archive, folder, kind, exclude or (lambda _path: False), prefix)
            os.fchmod(descriptor, 0o644)
            raw.flush()
            if sync:
                os.fsync(descriptor)
        Path(temporary).replace(target_tarball)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise VelociraptorError(f"{folder} can't be packed: {error}.") from None
        raise
    return hashing.md5.hexdigest()


def _add_all(
    archive: tarfile.TarFile,
    folder: Path,
    kind: Kind,
    exclude: Callable[[str], bool],
    prefix: str,
) -> None:
    first_names: dict[tuple[int, int], str] = {}
    for path, entry in _walk(str(folder), "", exclude):
        info = _describe(prefix + path, entry, kind)
        if info is None:
            continue
        if info.isreg() and info.size:
            status = entry.stat(follow_symlinks=False)
            first = first_names.setdefault((status.st_dev, status.st_ino), info.name)
            if first != info.name:
                info.type, info.linkname, info.size = tarfile.LNKTYPE, first, 0
        if info.isreg():
            with open(entry.path, "rb", opener=_no_follow) as content:
                archive.addfile(info, content)
        else:
            archive.addfile(info)
        # A million of them would not fit into memory.
        archive.members.clear()  # type: ignore[attr-defined]


def _walk(
    folder: str, prefix: str, exclude: Callable[[str], bool]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for entry in listed:
        path = prefix + entry.name
        if exclude(path):
            continue
        yield path, entry
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, path + "/", exclude)


def _describe(path: str, entry: os.DirEntry[str], kind: Kind) -> tarfile.TarInfo | None:
    status = entry.stat(follow_symlinks=False)
    info = tarfile.TarInfo(path)
    if stat.S_ISDIR(status.st_mode):
        info.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(status.st_mode):
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(entry.path)  # noqa: PTH115  (Path would tidy the text)
    elif stat.S_ISREG(status.st_mode):
        info.size = status.st_size
    else:
        return None
    info.mode = stat.S_IMODE(status.st_mode)
    if kind == "image":
        info.uid, info.gid, info.mtime = status.st_uid, status.st_gid, int(status.st_mtime)
    else:
        info.mode &= 0o777
        info.mtime = _EPOCH
    return info


def _no_follow(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


class _Hashing:
    """Writes through to a file and keeps the MD5 of all that passed."""

    def __init__(self, raw: IO[bytes]) -> None:
        self.raw = raw
        self.md5 = hashlib.md5()

    def write(self, data: bytes) -> int:
        self.md5.update(data)
        return self.raw.write(data)

    def flush(self) -> None:
        self.raw.flush()

    def close(self) -> None:
        self.raw.flush()


class _Positioned:
    """Adds to a stream the `tell` that tarfile asks for once, at the start."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        return self._stream.write(data)

    def tell(self) -> int:
        return 0
