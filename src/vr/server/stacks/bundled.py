"""The stack's image that `make setup` built on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vr.errors import InvalidInput
from vr.files.checksums import file_md5
from vr.imager.stack import CACHE

BUNDLED_STACK = "debian12"


def stack_image(env: Mapping[str, str], cache: Path = CACHE) -> Path | None:
    """The tarball that VR_STACK_IMAGE names, or the newest one that `vimage stack` keeps.

    None if nothing was built yet. Raises InvalidInput if the variable names no file.
    """
    if named := env.get("VR_STACK_IMAGE"):
        path = Path(named)
        if not path.is_file():
            raise InvalidInput("environment", [f"VR_STACK_IMAGE: {named!r} is not a file"])
        return path
    kept = list(cache.glob(f"{BUNDLED_STACK}_{'?' * 12}.tar.gz"))
    return max(kept, key=lambda path: path.stat().st_mtime, default=None)


def image_name(tarball: Path) -> str:
    """What the image is called: its file's name without suffixes."""
    return tarball.name.partition(".")[0]


def image_md5(tarball: Path) -> str:
    """Hex MD5 of the tarball, from the note beside it if there is one."""
    note = tarball.with_name(f"{tarball.name}.md5")
    return note.read_text().strip() if note.exists() else file_md5(tarball)
