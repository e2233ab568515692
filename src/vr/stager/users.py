"""The users that staging runs as: without rights, and of one task alone if so configured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vr.errors import Busy, VelociraptorError
from vr.files.locks import Lock

NOBODY = 65534


@contextmanager
def throw_away_user(first: int, count: int, locks: Path) -> Iterator[int]:
    """A user id of the range that no other task on this host uses meanwhile.

    None has to be made beforehand: to the kernel a user is a number. Its processes are all in
    the task's container and end with it. Raises VelociraptorError if all are in use.
    """
    for uid in range(first, first + count):
        lock = Lock(locks / f"user-{uid}")
        try:
            lock.__enter__()
        except Busy:
            continue
        try:
            yield uid
        finally:
            lock.__exit__(None, None, None)
        return
    raise VelociraptorError("All secure users are currently in use.")
