"""Images of stacks that are kept on this machine, and their bases: names, notes, the newest.

A tarball is called `NAME_KEY.tar.gz`, where the key is a hash of what it was made from. Beside it
its MD5 is noted, so that nobody reads the whole file twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from vr.errors import InvalidInput
from vr.files.atomic import write_atomic
from vr.files.checksums import file_md5
from vr.paths import bundled

CACHE = Path("/var/cache/velociraptor/stack")
BUNDLED_STACK = "debian12"

_KEY_LENGTH = 12
_SUFFIX = ".tar.gz"


def key_of(source: bytes) -> str:
    """The key for what is made from `source`."""
    return hashlib.sha256(source).hexdigest()[:_KEY_LENGTH]


def bundled_file() -> Path:
    """The image.yaml of the stack that comes with Velociraptor."""
    return bundled("stack") / f"{BUNDLED_STACK}.yaml"


def tarball_of(cache: Path, name: str, key: str) -> Path:
    """Where `cache` keeps the image `name` that was made from what `key` is the hash of."""
    return cache / f"{name}_{key}{_SUFFIX}"


def newest(cache: Path, name: str) -> Path | None:
    """The tarball of the image `name` that was made last; None if there is none."""
    kept = cache.glob(f"{name}_{'?' * _KEY_LENGTH}{_SUFFIX}")
    return max(kept, key=lambda path: path.stat().st_mtime, default=None)


def image_name(tarball: Path) -> str:
    """What the image is called: its file's name without suffixes."""
    return tarball.name.partition(".")[0]


def image_md5(tarball: Path) -> str:
    """Hex MD5 of the tarball, from the note beside it if there is one."""
    note = _note(tarball)
    return note.read_text().strip() if note.exists() else file_md5(tarball)


def note_md5(tarball: Path, md5: str) -> None:
    """Write the note that `image_md5` reads."""
    write_atomic(_note(tarball), md5)


def remove_others(cache: Path, names: Iterable[str], keep: Iterable[Path]) -> None:
    """Remove the images of these names, their notes and logs, but for the tarballs of `keep`."""
    kept = tuple(path.name.removesuffix(_SUFFIX) for path in keep)
    for name in names:
        for path in cache.glob(f"{name}_{'?' * _KEY_LENGTH}.*"):
            if not path.name.startswith(kept):
                path.unlink()


def stack_image(env: Mapping[str, str], cache: Path = CACHE) -> Path | None:
    """The tarball that VR_STACK_IMAGE names, or the newest one that `vimage stack` keeps.

    None if nothing was built yet. Raises InvalidInput if the variable names no file.
    """
    if named := env.get("VR_STACK_IMAGE"):
        path = Path(named)
        if not path.is_file():
            raise InvalidInput("environment", [f"VR_STACK_IMAGE: {named!r} is not a file"])
        return path
    return newest(cache, BUNDLED_STACK)


def _note(tarball: Path) -> Path:
    return tarball.with_name(f"{tarball.name}.md5")
