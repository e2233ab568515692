"""The stack's image that `make setup` built on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

BUNDLED_STACK = "debian12"
DEFAULT_IMAGE = f"/var/cache/velociraptor/stack/{BUNDLED_STACK}.tar.gz"


def stack_image(env: Mapping[str, str]) -> Path | None:
    """The tarball that VR_STACK_IMAGE names, or the usual place; None if it isn't there."""
    path = Path(env.get("VR_STACK_IMAGE") or DEFAULT_IMAGE)
    return path if path.is_file() else None


def file_md5(path: Path) -> str:
    """Hex MD5 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
