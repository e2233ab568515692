"""A log of this machine as it grows, over rotation: `log` becomes `log.1`, that becomes `log.2` if
so many are kept, and a new one begins.

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
# More than anybody keeps (VR_LOG_BACKUPS).
_MOST_BACKUPS = 100
_ATTEMPTS = 10
GAP = b"\n-----> Some of the log may be missing here: it was rotated faster than it was read\n"


def tail(path: Path, length: int) -> bytes:
    """The last `length` bytes of a log, or fewer, as none of its characters is cut; those that were
    rotated away count. Empty if there is no log."""
    files = _files_of(path)
    try:
        missing, parts = length, []
        for file in reversed(files):
            size = _size(file)
            file.seek(max(0, size - missing))
            parts.append(_exactly(file, min(size, missing)))
            missing -= len(parts[-1])
            if not missing:
                break
        found = b"".join(reversed(parts))
        return found if missing else found.lstrip(_CONTINUATION)
    finally:
        _close(files)


class FollowedLog:
    """The LogReader of a file on this machine."""

    def __init__(self, path: Path, length: int) -> None:
        """Begin with the last `length` bytes, or rather with the line they begin in."""
        self._path = path
        # A reader that goes away closes the files while a thread may still read them.
        self._lock = threading.Lock()
        # Does something lack between the first file and the next?
        self._has_gap = False
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
                        if self._has_gap:
                            self._has_gap = False
                            return GAP
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
            _close(self._files)
            self._files = []

    def _begin(self, length: int) -> list[FileIO]:
        files = _files_of(self._path)
        missing = length
        for number, file in reversed(list(enumerate(files))):
            size = _size(file)
            if missing <= size or not number:
                _seek_line(file, max(0, size - missing))
                _close(files[:number])
                return files[number:]
            missing -= size
        return []

    def _newer(self) -> list[FileIO]:
        """What was begun since the file that is read now, opened, oldest first. If that one isn't
        kept any more, others may have come and gone: then there is a gap."""
        at_end = self._files[-1] if self._files else None
        found = _files_of(self._path, since=at_end)
        if at_end is None:
            return found
        if found and _same(found[0], at_end):
            found.pop(0).close()
        else:
            self._has_gap = bool(found)
        return found


def _files_of(path: Path, since: FileIO | None = None) -> list[FileIO]:
    """The log's files, opened, oldest first; from `since` on, if that is among them."""
    for _ in range(_ATTEMPTS):
        found = _opened(path, since)
        if not found or _is_at(path, found[-1]):
            break
        # A rotation went on meanwhile: who can tell in which order they are?
        _close(found)
        found = []
    return found


def _opened(path: Path, since: FileIO | None) -> list[FileIO]:
    newest_first: list[FileIO] = []
    missing = 0
    for number in range(_MOST_BACKUPS + 1):
        file = _open(path.with_name(f"{path.name}.{number}") if number else path)
        if file is None:
            # One is, for a moment of each rotation.
            missing += 1
            if missing > 1:
                break
            continue
        missing = 0
        newest_first.append(file)
        if since is not None and _same(file, since):
            break
    return newest_first[::-1]


def _is_at(path: Path, newest: FileIO) -> bool:
    """Whether the log's newest file is this one, or none is there yet to follow it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(newest.fileno()))
    except (FileNotFoundError, NotADirectoryError):
        return True


def _exactly(file: FileIO, size: int) -> bytes:
    """The next `size` bytes, or what is left of them."""
    parts = []
    while size and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _close(files: list[FileIO]) -> None:
    for file in files:
        file.close()


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
