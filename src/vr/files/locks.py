"""Advisory locks (flock) that name their holder when they are taken."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from vr.errors import Busy, VelociraptorError

_POLL_SECONDS = 0.05


class Lock:
    """An exclusive lock on a file or folder, held inside a `with` block.

    Without `wait` a taken lock raises Busy at once; with it, after so many seconds. The holder's
    pid in the message comes from the kernel, so it is never stale, and it needs no writing into
    the file, which may be a user's own (proc.yaml). The kernel drops the lock with its holder:
    `kill -9` leaves nothing to clean up.

    `check` is called again and again while it waits, and what it raises ends that.

    With `create` a missing lock file and its folder are made; a missing path is an error otherwise.
    """

    def __init__(
        self,
        path: Path,
        *,
        wait: float = 0,
        create: bool = True,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path
        self.wait = wait
        self.create = create
        self.check = check
        self._descriptor: int | None = None

    def __enter__(self) -> Lock:
        deadline = time.monotonic() + self.wait
        while self._descriptor is None:
            self._descriptor = self._try()
            if self._descriptor is None:
                if time.monotonic() >= deadline:
                    raise self._busy()
                self.check()
                time.sleep(_POLL_SECONDS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self) -> int | None:
        while True:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
            if self._is_at_path(descriptor):
                return descriptor
            os.close(descriptor)

    def _is_at_path(self, descriptor: int) -> bool:
        """False if the path was removed or replaced since: that lock would exclude nobody."""
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def _open(self) -> int:
        if self.path.is_dir():
            return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        flags = os.O_RDWR | os.O_CLOEXEC
        if self.create:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags |= os.O_CREAT
        try:
            return os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            raise VelociraptorError(f"{self.path} does not exist.") from None

    def _busy(self) -> Busy:
        pid = holder(self.path)
        who = f"process {pid} ({_command(pid)})" if pid else "another process"
        waited = f" after {self.wait:g} s" if self.wait else ""
        return Busy(
            f"{self.path} is still locked by {who}{waited}.",
            hint="Wait until it has finished, or stop it.",
        )


def holder(path: Path) -> int | None:
    """The pid of a process that holds the flock on `path`; None if nobody (visible) does."""
    try:
        inode = path.stat().st_ino
    except FileNotFoundError:
        return None
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            for info in (process / "fdinfo").iterdir():
                if _shows_flock(info.read_text(), inode):
                    return int(process.name)
        except OSError:
            continue  # it ended, or belongs to someone else
    return None


def _shows_flock(fdinfo: str, inode: int) -> bool:
    """Whether one /proc/PID/fdinfo/FD text says that this descriptor holds a flock on `inode`."""
    return any(
        line.startswith("lock:") and " FLOCK " in line and f":{inode} " in line
        for line in fdinfo.splitlines()
    )


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "ended just now"
