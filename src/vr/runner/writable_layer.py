"""A proc's writable layer: a folder, or with `disk_limit` a file system of that size in a file.

The file is as large as what was written into it. It is mounted in the container's own mount
namespace only, so that neither mount nor loop device outlives the container, whatever is killed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vr.errors import VelociraptorError
from vr.machine.path import SYSTEM_PATH
from vr.paths import ProcPaths
from vr.runner.accounts import Account
from vr.runner.environment import APP_FOLDER

_MAKE = ("mkfs.ext4", "-q", "-F", "-m", "0")
_LOOP_DEVICES = Path("/dev/loop-control")


@dataclass(frozen=True)
class Upper:
    """Where a container's writable layer lies; `disk` is mounted on its parent first."""

    layer: Path
    disk: Path | None = None


def why_no_quota() -> str:
    """Why this host's file systems can't hold a proc to its limit; empty if they can."""
    if not _LOOP_DEVICES.exists():
        return f"{_LOOP_DEVICES} is missing (modprobe loop)"
    if shutil.which(_MAKE[0], path=SYSTEM_PATH) is None:
        return f"{_MAKE[0]} is missing (apt install e2fsprogs)"
    return ""


def renew_upper(paths: ProcPaths, who: Account, limit: int | None) -> Upper:
    """The layer that the next run writes to; what the app wrote below /app is gone.

    What it wrote elsewhere stays, unless there is a `limit` (bytes), for which there must be
    nothing that `why_no_quota` tells of. Raises VelociraptorError if it can't be made.
    """
    disk, mount_point = paths.folder / "disk.ext4", paths.folder / "disk"
    _remove(paths.folder / "work")
    if limit is None:
        disk.unlink(missing_ok=True)
        _remove(mount_point)
        _remove(paths.upper / APP_FOLDER.lstrip("/"))
        make_app_folder(paths.upper, who)
        return Upper(paths.upper)
    _remove(paths.upper)
    mount_point.mkdir(exist_ok=True, mode=0o755)
    _make_disk(disk, who, limit)
    return Upper(mount_point / "upper", disk)


def make_app_folder(layer: Path, who: Account) -> None:
    """An empty /app in `layer`, for the app to write to."""
    app = layer / APP_FOLDER.lstrip("/")
    layer.mkdir(exist_ok=True, mode=0o755)
    app.mkdir(exist_ok=True, mode=0o755)
    os.chown(app, who.uid, who.gid)


def _make_disk(disk: Path, who: Account, size: int) -> None:
    contents, new = disk.with_suffix(".contents"), disk.with_suffix(".new")
    _remove(contents)
    contents.mkdir()
    make_app_folder(contents / "upper", who)
    with new.open("wb") as file:
        file.truncate(size)
    _run([*_MAKE, "-d", str(contents), str(new)])
    new.rename(disk)
    _remove(contents)


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, env={"PATH": SYSTEM_PATH}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise VelociraptorError(
            f"disk_limit can't be kept on this host: {done.stderr.strip()}.",
            hint="It needs loop devices (modprobe loop) and ext4 (apt install e2fsprogs).",
        )


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
