"""Unpack untrusted zip files: all of it, inside its folder, or nothing."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import IO

from vr.errors import VelociraptorError
from vr.files.archives import Action, Gate, Limits
from vr.files.checksums import CHUNK

_DEFAULT_MODE = 0o644
_LONGEST_LINK = 4096


def unzip(archive: Path, target_dir: Path, *, limits: Limits | None = None) -> None:
    """Unpack the zip file `archive` to the new `target_dir`, keeping modes and times.

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
            for entry in opened.infolist():
                _place(opened, entry, new, gate)
        new.rename(target_dir)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # zipfile says RuntimeError for encrypted entries.
        raise VelociraptorError(
            f"{archive.name} is no complete, readable zip file: {error}.",
            hint="Pack it again, without a password.",
        ) from None
    except OSError as error:
        raise VelociraptorError(f"{archive.name} can't be unpacked: {error}.") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _place(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, gate: Gate) -> None:
    described = _as_tar(opened, entry)
    action, name = gate.admit(described)
    path = folder / name
    if action is Action.FOLDER:
        path.mkdir(parents=True, exist_ok=True)
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
    described = tarfile.TarInfo(entry.filename.replace("\\", "/"))
    described.size = entry.file_size
    described.mode = (stat.S_IMODE(mode) & 0o777 or _DEFAULT_MODE) | 0o600
    described.mtime = _time(entry)
    kind = stat.S_IFMT(mode)
    if entry.is_dir():
        described.type = tarfile.DIRTYPE
    elif kind == stat.S_IFLNK:
        described.type = tarfile.SYMTYPE
        with opened.open(entry) as target:
            described.linkname = os.fsdecode(target.read(_LONGEST_LINK))
    elif kind not in {0, stat.S_IFREG}:
        described.type = tarfile.FIFOTYPE
    return described


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
