"""The store of builds, images and logs: names to files.

One machine keeps it in a folder that its hosts see too.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from django.conf import settings


def path_of(name: str) -> Path:
    """Where the file `name` (such as `builds/shop-v1-<md5>.tar.gz`) lies.

    Raises ValueError for a name that points outside of the store.
    """
    root = Path(settings.FILES_ROOT)
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"{name!r} is not a name in the file store")
    return path


def put(name: str, source: Path) -> None:
    """Copy `source` into the store under `name`, complete or not at all."""
    target = path_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".put-") as beside:
        part = Path(beside) / target.name
        shutil.copyfile(source, part)
        part.rename(target)
