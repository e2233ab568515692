"""Write beside and rename, so that a reader sees the old file or the new one, never a part."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomic(
    path: Path,
    data: str | bytes,
    *,
    mode: int = 0o644,
    owner: tuple[int, int] | None = None,
    sync: bool = True,
) -> None:
    """Put `data` at `path` with this mode and (uid, gid); text is written as UTF-8.

    The content never exists under weaker permissions than `mode`, and is on disk before the
    name points to it; without `sync` that holds as long as the machine does not fail. Raises
    OSError.
    """
    raw = data.encode() if isinstance(data, str) else data
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if owner is not None:
                os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            file.write(raw)
            file.flush()
            if sync:
                os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
