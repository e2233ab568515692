"""The store of builds, images and logs: names to files.

It is a folder, which several machines may share, or a bucket (`VR_S3_BUCKET`). With a bucket the
folder is for what a machine is at work on.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from vr.container.output import Log

if TYPE_CHECKING:
    from vr.server.files.bucket import Bucket

# More than logs grow to (see BoundedLog).
_LONGEST_LOG = 64 << 20


def in_bucket() -> bool:
    """Whether files lie in a bucket, and not in a folder."""
    return bool(settings.S3.bucket)


def path_of(name: str) -> Path:
    """Where the file `name` (such as `builds/shop-v1-<md5>.tar.gz`) lies in the folder.

    Raises ValueError for a name that points outside of the store.
    """
    root = Path(settings.FILES_ROOT)
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"{name!r} is not a name in the file store")
    return path


def put(name: str, source: Path) -> None:
    """Copy `source` into the store under `name`, complete or not at all.

    Like all below, raises Unavailable if a bucket's service doesn't answer.
    """
    if in_bucket():
        _bucket().put(name, source)
        return
    target = path_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".put-") as beside:
        part = Path(beside) / target.name
        shutil.copyfile(source, part)
        part.rename(target)


def has(name: str) -> bool:
    """Whether the file is there."""
    return _bucket().has(name) if in_bucket() else path_of(name).is_file()


def read(name: str, start: int, most: int) -> bytes:
    """At most `most` bytes from `start` on; raises FileNotFoundError."""
    if in_bucket():
        return _bucket().read(name, start, most)
    with path_of(name).open("rb") as file:
        file.seek(start)
        return file.read(most)


def end(name: str, length: int) -> tuple[bytes, int]:
    """The last `length` bytes, and how many the file has; raises FileNotFoundError."""
    if in_bucket():
        return _bucket().end(name, length)
    with path_of(name).open("rb") as file:
        size = path_of(name).stat().st_size
        file.seek(max(0, size - length))
        return file.read(), size


def new_log(name: str) -> Log:
    """An empty log under `name`, which can be read while it grows. `close` it."""
    path = path_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Unbuffered, as people watch it grow.
    file = path.open("wb", buffering=0)
    if not in_bucket():
        return file
    from vr.server.files.bucket import GrowingLog

    return GrowingLog(name, file, path)


def add_text(name: str, text: str) -> None:
    """Add `text` to the end of a log that nobody writes to; begin it, if there is none."""
    content = text.encode(errors="replace")
    if in_bucket():
        with suppress(FileNotFoundError):
            content = _bucket().end(name, _LONGEST_LOG)[0] + content
        _bucket().put_bytes(name, content)
        return
    path = path_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(content)


def _bucket() -> Bucket:
    from vr.server.files.bucket import bucket

    return bucket()
