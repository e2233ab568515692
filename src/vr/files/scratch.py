"""Scratch folders that are removed after use, and by the next user if their owner was killed."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vr.errors import Busy, VelociraptorError
from vr.files.locks import Lock

_NEW = ".new-"
_UNLOCKED_SECONDS = 60.0
"""Longer than it takes anybody to lock a folder that it has just made."""

Abandoned = Callable[[str], None]


@contextmanager
def scratch(
    parent: Path,
    name: str,
    *,
    abandoned: Abandoned = lambda _name: None,
    sweep_first: bool = True,
) -> Iterator[Path]:
    """A new folder below `parent` (made with mode 0700), called after `name`.

    It is locked while in use. First, unless somebody else sees to it, folders that killed
    processes left in `parent` are removed; `abandoned` gets the name of each, to end what may go
    with it.
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if sweep_first:
        sweep(parent, abandoned=abandoned)
    token = secrets.token_hex(6)
    # Under its own name it appears locked, so that nobody takes it for abandoned.
    new, folder = parent / f"{_NEW}{token}", parent / f"{name}-x{token}"
    new.mkdir(mode=0o755)
    with Lock(new):
        new.rename(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path, *, abandoned: Abandoned = lambda _name: None) -> None:
    """Remove what killed processes left in `parent`; `abandoned` as for `scratch`."""
    if not parent.is_dir():
        return
    with Lock(parent / ".lock", wait=120):
        for folder in parent.iterdir():
            # The kernel drops a lock with its holder.
            with suppress(Busy, FileNotFoundError, VelociraptorError):
                if folder.is_dir() and not _is_being_made(folder):
                    with Lock(folder, create=False):
                        abandoned(folder.name)
                        shutil.rmtree(folder, ignore_errors=True)


def _is_being_made(folder: Path) -> bool:
    age = time.time() - folder.stat().st_mtime
    return folder.name.startswith(_NEW) and age < _UNLOCKED_SECONDS
