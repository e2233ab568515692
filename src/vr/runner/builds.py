"""Builds: one read-only layer per (build, user), shared by all its procs."""

from __future__ import annotations

from pathlib import Path

from vr.files.download import Progress
from vr.files.folders import private_folder
from vr.files.unpack import unpack
from vr.paths import Root
from vr.runner.layers import ensure_layer, key, obtain

_DROPLET_FILES = ("startup", "start_droplet")
_DROPLET_HOME = "home/vcap"
"""Where droplets were staged: virtual environments and the like have written it down."""


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

    A build that was made of a droplet is seen at /home/vcap, too.
    Raises ChecksumMismatch, UnsafeArchive, VelociraptorError.
    """
    private_folder(root.layers)
    given = key(md5, sha256)
    if given and _layer(root, given, uid, gid).is_dir():
        return _layer(root, given, uid, gid)
    private_folder(root.builds)
    tarball, found = obtain(url, root.builds, md5, progress, sha256=sha256)

    def fill(new: Path) -> None:
        unpack(tarball, new / "app", kind="build", owner=(uid, gid))
        if all((new / "app" / name).is_file() for name in _DROPLET_FILES):
            link = new / _DROPLET_HOME
            link.parent.mkdir()
            link.symlink_to("/app")

    return ensure_layer(_layer(root, found, uid, gid), root.locks, fill)


def _layer(root: Root, key: str, uid: int, gid: int) -> Path:
    return root.layers / f"{key}-{uid}-{gid}"
