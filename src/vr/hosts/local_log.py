"""A log of this machine as it grows, over rotation: `log` becomes `log.1`, and a new one begins.

Files are told apart by device and inode, never by name: one that is open keeps its inode, so no
new file can be taken for it.
"""

from __future__ import annotations

import os
import threading
from io import FileIO
from pathlib import Path

_AT_ONCE = 256 * 1024
# A line that is longer may be begun in its middle.
_LONGEST_LINE = 64 * 1024


class FollowedLog:
    """The LogReader of a file on this machine."""

    def __init__(self, path: Path, length: int) -> None:
        """Begin with the last `length` bytes, or rather with the line they begin in."""
        self._path = path
        self._rotated = path.with_name(f"{path.name}.1")
        # A reader that goes away closes the files while a thread may still read them.
        self._lock = threading.Lock()
        # Oldest first; only the last is still being written.
        self._files = self._begin(length)

    def read(self) -> bytes:
        with self._lock:
            while True:
                if self._files:
                    file = self._files[0]
                    if part := file.read(_AT_ONCE):
                        return part
                    if len(self._files) > 1:
                        self._files.pop(0).close()
                        continue
                    if os.fstat(file.fileno()).st_size < file.tell():
                        file.seek(0)  # somebody emptied it
                        continue
                # The old file comes first once more: it may have grown before it was rotated.
                newer = self._newer()
                if not newer:
                    return b""
                self._files += newer

    def close(self) -> None:
        with self._lock:
            for file in self._files:
                file.close()
            self._files = []

    def _begin(self, length: int) -> list[FileIO]:
        current = _open(self._path)
        if current is None:
            return []
        missing = length - _size(current)
        former = _open(self._rotated) if missing > 0 else None
        if former is None or _same(former, current):
            _seek_line(current, max(0, -missing))
            return [current]
        _seek_line(former, max(0, _size(former) - missing))
        return [former, current]

    def _newer(self) -> list[FileIO]:
        """What was begun since the file that is read now, opened, oldest first."""
        at_end = self._files[-1] if self._files else None
        # In this order: a rotation in between then shows the same file twice, and misses none.
        current = _open(self._path)
        if current is None:
            return []
        if at_end is None:
            return [current]
        if _same(current, at_end):
            current.close()
            return []
        former = _open(self._rotated)
        if former is None or _same(former, at_end) or _same(former, current):
            if former is not None:
                former.close()
            return [current]
        return [former, current]


def _open(path: Path) -> FileIO | None:
    try:
        return path.open("rb", buffering=0)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _same(one: FileIO, other: FileIO) -> bool:
    return os.path.samestat(os.fstat(one.fileno()), os.fstat(other.fileno()))


def _size(file: FileIO) -> int:
    return os.fstat(file.fileno()).st_size


def _seek_line(file: FileIO, offset: int) -> None:
    """Go to the start of the line that the byte at `offset` belongs to, or of its character if
    the line began too long ago."""
    back = min(offset, _LONGEST_LINE)
    file.seek(offset - back)
    before = file.read(back)
    line_end = before.rfind(b"\n")
    if line_end >= 0 or back == offset:
        file.seek(offset - back + line_end + 1)
        return
    following = file.read(3)
    file.seek(offset + len(following) - len(following.lstrip(_CONTINUATION)))


# Bytes that no character of UTF-8 begins with.
_CONTINUATION = bytes(range(0x80, 0xC0))
