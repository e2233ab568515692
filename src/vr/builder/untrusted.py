"""Reading files that a build has left: they may be links to anywhere, or without end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vr.errors import VelociraptorError

_LIMIT = 1 << 20


def read_text(path: Path) -> str | None:
    """The text of the regular file `path`, decoded leniently; None if there is no such file.

    The last part of `path` may be the build's own work, the folders above must not be. Raises
    VelociraptorError for links, devices and files above 1 MiB.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise VelociraptorError(
            f"{path.name} in the build is no plain file: {error.strerror}."
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise VelociraptorError(f"{path.name} in the build is no plain file.")
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise VelociraptorError(f"{path.name} in the build is larger than 1 MiB.")
    return data.decode(errors="replace")
