"""Zip a folder, so that `unzip` gives it back: modes, links, empty folders."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Container
from pathlib import Path

from vr.errors import VelociraptorError

_LINK = 0o120777


def zip_folder(folder: Path, target: Path, *, skipped: Container[str] = ()) -> None:
    """Zip what is in `folder`, without folders called as in `skipped`.

    Links are kept as links. Raises VelociraptorError if there is no such folder.
    """
    if not folder.is_dir():
        raise VelociraptorError(f"{folder} is no folder.", hint="Give the app's root folder.")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for parent, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if name not in skipped)
            for name in sorted([*folders, *files]):
                _add(archive, Path(parent, name), folder)


def _add(archive: zipfile.ZipFile, path: Path, root: Path) -> None:
    name = str(path.relative_to(root))
    if not path.is_symlink():
        if path.is_file() or path.is_dir():
            archive.write(path, name)
        return
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3  # Unix, so that the mode below counts
    entry.external_attr = _LINK << 16
    archive.writestr(entry, os.fsencode(path.readlink()))
