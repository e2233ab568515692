"""The file that tells a service's pid while it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vr.errors import VelociraptorError
from vr.files.atomic import write_atomic


@contextmanager
def pid_file(path: Path) -> Iterator[None]:
    """Write this process's pid to `path`, and remove the file afterwards.

    A file of an earlier process is replaced; a later process's file is left alone. Raises
    VelociraptorError if it can't be written.
    """
    text = f"{os.getpid()}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except OSError as error:
        raise VelociraptorError(
            f"The pid file {path} can't be written: {error.strerror}.",
            hint="Correct pid_filename, or the folder's permissions.",
        ) from None
    try:
        yield
    finally:
        if path.is_file() and path.read_text() == text:
            path.unlink()
