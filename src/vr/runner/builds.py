"""Builds: one read-only layer per (build, user), shared by all its procs (rulings.md, 3)."""

from __future__ import annotations

from pathlib import Path

from vr.files.download import Progress
from vr.files.unpack import unpack
from vr.paths import Root
from vr.runner.layers import ensure_layer, key, obtain


def ensure_build(
    root: Root,
    url: str,
    md5: str | None,
    uid: int,
    gid: int,
    *,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """The layer that contains `app/`, owned by (uid, gid); fetched and unpacked first if need be.

    Raises ChecksumMismatch, UnsafeArchive, VelociraptorError.
    """
    root.layers.mkdir(parents=True, exist_ok=True)
    given = key(md5, sha256)
    if given and _layer(root, given, uid, gid).is_dir():
        return _layer(root, given, uid, gid)
    root.builds.mkdir(parents=True, exist_ok=True)
    tarball, found = obtain(url, root.builds, md5, progress, sha256=sha256)

    def fill(new: Path) -> None:
        unpack(tarball, new / "app", kind="build", owner=(uid, gid))

    return ensure_layer(_layer(root, found, uid, gid), root.locks, fill)


def _layer(root: Root, key: str, uid: int, gid: int) -> Path:
    return root.layers / f"{key}-{uid}-{gid}"
