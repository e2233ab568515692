"""Folders that are root's alone."""

from __future__ import annotations

from pathlib import Path


def private_folder(folder: Path) -> Path:
    """Make `folder` with mode 0700, or give it that mode; returns it.

    What lies in it keeps the owners and modes that a container is to see, and yet no user of the
    host gets at it. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder
