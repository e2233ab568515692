"""Mount points, made in a layer of the container's own, never through a link, never on the host.

LXC's own `create=` follows symbolic links of the image while still on the host's root. So every
target is looked up in the layers first, and what is missing is made in the topmost layer.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from vr.container.spec import Mount
from vr.errors import VelociraptorError
from vr.specs.volumes import clean_mount_point, is_within, mount_point_problem


class BadMount(VelociraptorError):
    """A mount that can't be made, or must not be."""


def make_mount_points(
    layer: Path, lowers: Sequence[Path], mounts: Sequence[Mount], *, private: Sequence[str] = ()
) -> tuple[tuple[Mount, ...], list[Path]]:
    """Make what is missing of the mounts' targets in `layer`, the topmost of the read-only ones.

    `private` are targets of the container's own file systems (`/tmp`). Returns the mounts to make,
    without the optional ones that can't be, and the paths created, in order. Raises BadMount.
    """
    made: list[Path] = []
    kept: list[Mount] = []
    for target in private:
        made += _make(layer, lowers, Mount(layer, target))
    for mount in mounts:
        try:
            _check_source(mount)
            inside = _enclosing(mount, kept, private)
            if inside is None:
                made += _make(layer, lowers, mount)
            else:
                _check_nested(mount, inside)
        except BadMount:
            if mount.optional:
                continue
            raise
        kept.append(mount)
    return tuple(kept), made


def _check_source(mount: Mount) -> None:
    problem = mount_point_problem(mount.target)
    if problem:
        raise BadMount(f"{mount.source} can't be mounted: {problem}.")
    expected = "file" if mount.is_file else "folder"
    if not mount.source.exists():
        raise BadMount(
            f"{mount.source}, to be mounted at {mount.target}, does not exist on this host.",
            hint=f"Create the {expected}, readable for the app's user, or correct the path.",
        )
    if mount.source.is_dir() == mount.is_file:
        raise BadMount(f"{mount.source}, to be mounted at {mount.target}, is no {expected}.")


def _enclosing(mount: Mount, earlier: Sequence[Mount], private: Sequence[str]) -> Mount | None:
    """The last earlier mount that `mount` lies in; None if it lies in the layers."""
    target = clean_mount_point(mount.target)
    for folder in private:
        if is_within(target, folder):
            raise BadMount(f"Nothing can be mounted at {mount.target}: {folder} is private.")
    for other in reversed(earlier):
        outer = clean_mount_point(other.target)
        if target == outer:
            raise BadMount(f"Two mounts have the same mount point {mount.target}.")
        if is_within(target, outer):
            return other
    return None


def _check_nested(mount: Mount, outer: Mount) -> None:
    """A target inside another mount must exist there: users' folders are not ours to fill."""
    inner = PurePosixPath(clean_mount_point(mount.target)).relative_to(
        clean_mount_point(outer.target)
    )
    path = outer.source
    for part in inner.parts:
        path = path / part
        if path.is_symlink():
            raise BadMount(f"The mount point {mount.target} leads through the link {path}.")
    if mount.is_file != path.is_file() or not path.exists():
        raise BadMount(
            f"The mount point {mount.target} lies in the mounted {outer.source}, "
            f"but {path} does not exist.",
            hint="Create it there.",
        )


def _make(layer: Path, lowers: Sequence[Path], mount: Mount) -> list[Path]:
    made = []
    parts = PurePosixPath(clean_mount_point(mount.target)).parts[1:]
    for length in range(1, len(parts) + 1):
        relative = "/".join(parts[:length])
        wants_file = mount.is_file and length == len(parts)
        present = _topmost([layer, *lowers], relative)
        if present is not None:
            _check_kind(mount, relative, present, wants_file)
        needed = present is None or length < len(parts)
        if needed and not (layer / relative).exists():
            made.append(_create(layer / relative, present, wants_file))
    return made


def _topmost(layers: Sequence[Path], relative: str) -> os.stat_result | None:
    for layer in layers:
        try:
            return (layer / relative).lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None


def _check_kind(mount: Mount, relative: str, present: os.stat_result, wants_file: bool) -> None:
    if stat.S_ISLNK(present.st_mode):
        raise BadMount(
            f"The mount point {mount.target} leads through /{relative}, "
            "which is a symbolic link in the container."
        )
    if stat.S_ISDIR(present.st_mode) == wants_file:
        expected = "file" if wants_file else "folder"
        raise BadMount(f"The mount point {mount.target}: /{relative} is no {expected} in there.")


def _create(path: Path, like: os.stat_result | None, is_file: bool) -> Path:
    """Make a mount point; a folder that also exists below keeps that one's owner and mode."""
    if is_file:
        path.touch(mode=0o644)
        return path
    path.mkdir()
    path.chmod(stat.S_IMODE(like.st_mode) if like else 0o755)
    if like:
        os.chown(path, like.st_uid, like.st_gid)
    return path
