"""Files that Git LFS keeps elsewhere: a checkout has only pointers to them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_BEGINS = b"version https://git-lfs.github.com/spec/v1\n"
# The format allows no larger ones.
_LARGEST = 1024
_SHOWN = 10


def pointers(folder: Path) -> list[str]:
    """The paths below `folder` of files that are pointers, sorted."""
    found = []
    for parent, _folders, files in os.walk(folder):
        for name in files:
            path = Path(parent, name)
            if _is_pointer(path):
                found.append(str(path.relative_to(folder)))
    return sorted(found)


def sentence(paths: list[str]) -> str:
    """What a build says of these pointers, of which there is at least one."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return (
        f"Files that Git LFS keeps were not fetched, so these are pointers: "
        f"{', '.join(paths[:_SHOWN])}{more}"
    )


def _is_pointer(path: Path) -> bool:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode) or not len(_BEGINS) < status.st_size <= _LARGEST:
        return False
    with path.open("rb") as file:
        return file.read(len(_BEGINS)) == _BEGINS
