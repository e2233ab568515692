"""Scratch folders that are removed after use, and by the next user if their owner was killed."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vr.errors import Busy
from vr.files.locks import Lock


@contextmanager
def scratch(
    parent: Path, name: str, *, abandoned: Callable[[str], None] = lambda _name: None
) -> Iterator[Path]:
    """A new folder below `parent` (made with mode 0700), called after `name`.

    It is locked while in use. First, folders that killed processes left in `parent` are removed;
    `abandoned` gets the name of each, to end what may go with it.
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = parent / f"{name}-x{secrets.token_hex(6)}"
    # Under the outer lock, so that nobody sweeps the new folder before its own lock is taken.
    with Lock(parent / ".lock", wait=120):
        _remove_abandoned(parent, abandoned)
        folder.mkdir(mode=0o755)
        held = Lock(folder)
        held.__enter__()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.__exit__(None, None, None)


def sweep(parent: Path, *, abandoned: Callable[[str], None] = lambda _name: None) -> None:
    """Remove what killed processes left in `parent`; `abandoned` as for `scratch`."""
    if parent.is_dir():
        with Lock(parent / ".lock", wait=120):
            _remove_abandoned(parent, abandoned)


def _remove_abandoned(parent: Path, abandoned: Callable[[str], None]) -> None:
    for folder in parent.iterdir():
        if folder.is_dir():
            # The kernel drops a lock with its holder.
            with suppress(Busy), Lock(folder):
                abandoned(folder.name)
                shutil.rmtree(folder, ignore_errors=True)
