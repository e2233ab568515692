"""Unpack untrusted zip files: all of it, inside its folder, or nothing."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import IO

from vr.errors import VelociraptorError
from vr.files.archives import Action, Gate, Limits
from vr.files.checksums import CHUNK

_FILE_MODE = 0o644
_FOLDER_MODE = 0o755
_UNIX = 3
_FAT = frozenset({0, 6, 10, 14})
"""Systems on which a backslash separates folders: FAT, HPFS, NTFS, VFAT."""
_DOS_FOLDER = 0x10
_UTF8_FLAG = 0x800
_UNICODE_NAME = 0x7075
_LONGEST_LINK = 4096


_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError,
    RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile raises for bytes that are no zip file's, names that are no UTF-8 among them."""


def unzip(archive: Path, target_dir: Path, *, limits: Limits | None = None) -> None:
    """Unpack the zip file `archive` to the new `target_dir`, keeping modes and times.

    Names are read as Info-ZIP's `unzip` reads them, so archives of Windows and of `zip` are fine.
    Setuid, setgid and sticky bits are lost, and the owner can read and write all; what is no
    file, folder or symbolic link is left out. `target_dir` appears complete or not at all. Raises
    UnsafeArchive for entries that would leave the folder or exceed `limits`, and
    VelociraptorError for damaged or encrypted archives and full disks.
    """
    gate = Gate(archive.name, "build", limits or Limits())
    new = target_dir.with_name(f".new-{target_dir.name}")
    new.mkdir(mode=0o700)
    try:
        with zipfile.ZipFile(archive) as opened:
            modes: dict[Path, int] = {}
            for entry in opened.infolist():
                _place(opened, entry, new, gate, modes)
            # Children before parents: one that none may enter could not be filled.
            for folder, mode in reversed(modes.items()):
                folder.chmod(mode)
        new.rename(target_dir)
    except _DAMAGE as error:
        # zipfile says RuntimeError for encrypted entries.
        raise VelociraptorError(
            f"{archive.name} is no complete, readable zip file: {error}.",
            hint="Pack it again, without a password.",
        ) from None
    except OSError as error:
        raise VelociraptorError(f"{archive.name} can't be unpacked: {error}.") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _place(
    opened: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    folder: Path,
    gate: Gate,
    modes: dict[Path, int],
) -> None:
    described = _as_tar(opened, entry)
    action, name = gate.admit(described)
    path = folder / name
    if action is Action.FOLDER:
        path.mkdir(parents=True, exist_ok=True)
        if name:
            modes[path] = described.mode
        return
    if action is Action.SKIP:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # the last of equal names wins
    if action is Action.SYMLINK:
        path.symlink_to(described.linkname)
        return
    with opened.open(entry) as source, path.open("xb") as target:
        _copy(source, target, entry)
        os.fchmod(target.fileno(), described.mode)
    os.utime(path, (described.mtime, described.mtime))


def _as_tar(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tarfile.TarInfo:
    """The entry in the words of the gate, which knows tarballs."""
    mode = entry.external_attr >> 16
    described = tarfile.TarInfo(_name(entry))
    described.size = entry.file_size
    described.mode = (stat.S_IMODE(mode) & 0o777 or _FILE_MODE) | 0o600
    described.mtime = _time(entry)
    kind = stat.S_IFMT(mode)
    if _is_folder(entry, described.name):
        described.type = tarfile.DIRTYPE
        described.mode = (stat.S_IMODE(mode) & 0o777 or _FOLDER_MODE) | 0o700
    elif kind == stat.S_IFLNK:
        described.type = tarfile.SYMTYPE
        with opened.open(entry) as target:
            described.linkname = os.fsdecode(target.read(_LONGEST_LINK))
    elif kind not in {0, stat.S_IFREG}:
        described.type = tarfile.FIFOTYPE
    return described


def _is_folder(entry: zipfile.ZipInfo, name: str) -> bool:
    by_attribute = entry.create_system in _FAT and entry.external_attr & _DOS_FOLDER
    return name.endswith("/") or bool(by_attribute) or stat.S_ISDIR(entry.external_attr >> 16)


def _name(entry: zipfile.ZipInfo) -> str:
    """The entry's name, with slashes.

    zipfile takes names without the UTF-8 flag for DOS ones; `zip` leaves that flag out.
    """
    name = entry.orig_filename
    if not entry.flag_bits & _UTF8_FLAG:
        raw = name.encode("cp437")
        name = _unicode_name(entry.extra, raw) or name
        if entry.create_system == _UNIX:
            name = os.fsdecode(raw)
    name = name.partition("\0")[0]
    # As unzip does: a name with both is one whose backslashes are meant.
    if entry.create_system in _FAT and "/" not in name:
        name = name.replace("\\", "/")
    return name


def _unicode_name(extra: bytes, raw: bytes) -> str | None:
    """The name that Info-ZIP's extra field has, if it was made for the name `raw`."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        data, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_NAME and data[:5] == b"\1" + struct.pack("<I", zlib.crc32(raw)):
            return os.fsdecode(data[5:])
    return None


def _time(entry: zipfile.ZipInfo) -> int:
    try:
        return int(time.mktime((*entry.date_time, 0, 0, -1)))
    except (ValueError, OverflowError):
        return 0


def _copy(source: IO[bytes], target: IO[bytes], entry: zipfile.ZipInfo) -> None:
    # The gate counted what the archive claims; zipfile never reads beyond it.
    left = entry.file_size
    while chunk := source.read(CHUNK):
        left -= len(chunk)
        target.write(chunk)
    if left:
        raise EOFError(f"the entry {entry.filename!r} is shorter than it says")
