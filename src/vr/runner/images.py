"""OS images: downloaded and unpacked once per content, shared read-only by all containers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from vr.errors import InvalidInput
from vr.files.download import Progress
from vr.files.folders import private_folder
from vr.files.unpack import unpack
from vr.paths import Root
from vr.runner.layers import ensure_layer, key, obtain
from vr.specs.names import part_problem

# Files that the host's own are mounted over. Images made on a systemd host have links there, and
# LXC refuses to mount over a link.
_MOUNTED_OVER = ("etc/resolv.conf", "etc/hosts", "etc/hostname")


class ImageRef(msgspec.Struct, frozen=True):
    """An OS image by address, name and, optionally, checksum."""

    url: str
    name: str
    md5: str | None = None


def ensure_image(
    root: Root,
    url: str,
    name: str,
    md5: str | None = None,
    *,
    sha256: str | None = None,
    progress: Progress | None = None,
    check: Callable[[], None] = lambda: None,
) -> Path:
    """The folder with the unpacked image, fetched and unpacked first if need be.

    Kept by content: another checksum under the same name is unpacked beside the
    old one, which running containers go on using. Raises ChecksumMismatch, UnsafeArchive,
    InvalidInput for a name that is no file name, VelociraptorError for an unreadable source, and
    what `check` raises, which is called again and again, also while another process is at it.
    """
    problem = part_problem("image_name", name.replace("-", "_"))
    if problem:
        raise InvalidInput("image", [problem])
    private_folder(root.images)
    folder = root.image(name)
    folder.mkdir(parents=True, exist_ok=True)
    given = key(md5, sha256)
    if given and _contents(folder, given).is_dir():
        return _contents(folder, given)
    tarball, found = obtain(url, folder, md5, progress, sha256=sha256, check=check)

    def fill(new: Path) -> None:
        unpack(tarball, new / "contents", kind="image", check=check)
        for path in _MOUNTED_OVER:
            _make_plain(new / "contents", path)

    final = _contents(folder, found).parent
    return ensure_layer(final, root.locks, fill, check=check) / "contents"


def _contents(folder: Path, key: str) -> Path:
    return folder / key / "contents"


def _make_plain(contents: Path, relative: str) -> None:
    path = contents / relative
    if path.is_symlink() and not path.parent.is_symlink():
        path.unlink()
        path.touch(mode=0o644)
