"""Builds: one read-only layer per (build, user), shared by all its procs (rulings.md, 3)."""

from __future__ import annotations

from pathlib import Path

from vr.files.download import Progress
from vr.files.unpack import unpack
from vr.paths import Root
from vr.runner.layers import ensure_layer, obtain


def ensure_build(
    root: Root,
    url: str,
    md5: str | None,
    uid: int,
    gid: int,
    *,
    progress: Progress | None = None,
) -> Path:
    """The layer that contains `app/`, owned by (uid, gid); fetched and unpacked first if need be.

    Raises ChecksumMismatch, UnsafeArchive, VelociraptorError.
    """
    root.layers.mkdir(parents=True, exist_ok=True)
    if md5 and _layer(root, md5, uid, gid).is_dir():
        return _layer(root, md5, uid, gid)
    root.builds.mkdir(parents=True, exist_ok=True)
    tarball, found = obtain(url, root.builds, md5, progress)

    def fill(new: Path) -> None:
        unpack(tarball, new / "app", kind="build", owner=(uid, gid))

    return ensure_layer(_layer(root, found, uid, gid), root.locks, fill)


def _layer(root: Root, md5: str, uid: int, gid: int) -> Path:
    return root.layers / f"{md5.lower()}-{uid}-{gid}"
