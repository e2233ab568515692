"""What a container prints: passed on as it comes, kept in a file, its end remembered."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from vr.container import cgroups
from vr.container.launch import ContainerTimeout, Running, start
from vr.container.spec import Container
from vr.errors import Unwanted, VelociraptorError
from vr.files.disk_usage import disk_usage
from vr.specs.sizes import show_size
from vr.text.terminal import plain

Sink = Callable[[bytes], object] | BinaryIO
"""Who wants to see output as it comes: a function, or a binary stream, flushed each time."""

_TAIL_BYTES = 16_384
# Of what comes before there is a file: some hundred lines of steps are usual.
_EARLY_BYTES = 1 << 20
# Bytes that no character of UTF-8 begins with.
_CONTINUATION = bytes(range(0x80, 0xC0))

# A build may bear that it gets no more threads; one that asks so often knows no end.
_MOST_REFUSED = 1000
_WATCH_SECONDS = 1.0


class Log(Protocol):
    """What a log is written to."""

    def write(self, data: bytes, /) -> object: ...

    def close(self) -> None: ...


LOG_FIRST, LOG_LAST = 16 << 20, 1 << 20
"""Bytes of a log in a file that are kept at most: of its beginning, and of its end."""


class LimitReached(VelociraptorError):
    """A container failed, or was ended, for want of what its limits don't give."""


class BoundedLog:
    """Writes to `file` the first LOG_FIRST bytes as they come, and the last LOG_LAST at the end.

    Between them it says how many were left out. `close` closes the file, too.
    """

    def __init__(self, file: Log, *, first: int = LOG_FIRST, last: int = LOG_LAST) -> None:
        self._file, self._room, self._last = file, first, last
        self._end: deque[bytes] = deque()
        self._end_size = 0
        self._left_out = 0

    def write(self, data: bytes) -> None:
        if self._room:
            now, data = data[: self._room], data[self._room :]
            self._file.write(now)
            self._room -= len(now)
            if not self._room:
                self._file.write(b"\n-----> The log is full; what is last follows at the end\n")
        if data:
            self._end.append(data)
            self._end_size += len(data)
        while self._end_size > self._last:
            cut = self._end[0][: self._end_size - self._last]
            self._left_out += len(cut)
            self._end_size -= len(cut)
            if rest := self._end.popleft()[len(cut) :]:
                self._end.appendleft(rest)

    def close(self) -> None:
        if self._left_out:
            self._file.write(b"-----> %d bytes were left out here\n" % self._left_out)
        self._file.write(b"".join(self._end))
        self._file.close()

    def __enter__(self) -> BoundedLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class OutputLog:
    """Passes bytes on to `sink` and to the file of `keep_in`.

    What came before `keep_in` is written to the file as well, a megabyte at most, so that it need
    not exist before there is something worth keeping.
    """

    def __init__(
        self, sink: Sink | None = None, *, check: Callable[[], None] = lambda: None
    ) -> None:
        """`check` raises Unwanted once what is logged is to end."""
        self.check = check
        self._sink = sink if sink is None or callable(sink) else _flushing(sink)
        self._early: list[bytes] = []
        self._early_room = _EARLY_BYTES
        self._file: BoundedLog | None = None
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._was_cut = False

    def keep_in(self, path: Path) -> None:
        """Write all output, past and future, to the file `path`, bounded as BoundedLog says."""
        self._file = BoundedLog(path.open("wb", buffering=0))
        self._file.write(b"".join(self._early))
        self._early.clear()

    def write(self, data: bytes) -> None:
        if self._file:
            self._file.write(data)
        elif self._early_room:
            self._early.append(data[: self._early_room])
            self._early_room -= len(self._early[-1])
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size - len(self._tail[0]) > _TAIL_BYTES:
            self._tail_size -= len(self._tail.popleft())
            self._was_cut = True
        if self._sink:
            self._sink(data)

    def step(self, text: str) -> None:
        """A line of our own, in the dialect of buildpacks."""
        self.write(f"-----> {text}\n".encode())

    def warn(self, text: str) -> None:
        self.write(f" !     {text}\n".encode())

    def tail(self, lines: int = 20) -> str:
        """The last lines, readable: without colours and overwritten progress."""
        kept = b"".join(self._tail)
        if self._was_cut:
            kept = kept.lstrip(_CONTINUATION)
        text = plain(kept.decode(errors="replace"))
        rows = [row.rstrip() for row in text.split("\n")]
        return "\n".join([row for row in rows if row][-lines:])

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None


def run_logged(
    container: Container,
    folder: Path,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    log: OutputLog,
    timeout: float,
) -> int:
    """Run `argv` in the container with all its output, in order, to `log`; returns the exit code.

    Raises ContainerTimeout after `timeout` seconds, LimitReached if it fails and the kernel killed
    processes of it for want of memory, if it asks for processes without end, or writes more than
    it may, and what the log's sink or check raises; no process of the container is left then.
    """
    with start(
        container, folder, argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as running:
        watch = _Watch(running, timeout, log.check)
        with watch:
            assert running.stdout
            while chunk := os.read(running.stdout.fileno(), 1 << 16):
                log.write(chunk)
            code = running.wait()
    if watch.reason:
        raise watch.reason
    if kills := running.oom_kills():
        memory = container.limits.memory or container.limits.memsw or 0
        limit = show_size(memory)
        said = f"{kills} process(es) of it were killed for want of memory; the limit is {limit}."
        if code:
            raise LimitReached(said)
        log.warn(said)
    return code


class _Watch:
    """Kills a container that takes too long, forks or writes without end, or is not wanted any
    more; `reason` says why."""

    def __init__(self, running: Running, timeout: float, check: Callable[[], None]) -> None:
        self.reason: VelociraptorError | None = None
        self._check = check
        self._running, self._timeout = running, timeout
        self._measure_at = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        deadline = time.monotonic() + self._timeout
        while self.reason is None:
            left = deadline - time.monotonic()
            if self._ended.wait(max(0, min(left, _WATCH_SECONDS))):
                return
            try:
                self._check()
            except Unwanted as unwanted:
                self.reason = unwanted
            else:
                self.reason = self._too_much(left)
        self._running.kill()

    def _too_much(self, left: float) -> VelociraptorError | None:
        container = self._running.container
        if left <= 0:
            return ContainerTimeout(f"It was still running after {self._timeout:g} seconds.")
        if cgroups.refused_processes(container.name) > _MOST_REFUSED:
            return LimitReached(
                f"It starts processes without end: {container.limits.pids} at once are its limit."
            )
        return self._too_large(container)

    def _too_large(self, container: Container) -> VelociraptorError | None:
        limit, begin = container.limits.watched_disk, time.monotonic()
        if limit is None or begin < self._measure_at:
            return None
        used = disk_usage(container.upper)
        # Of very many files this takes long; most of the time is the container's own.
        self._measure_at = time.monotonic() + 10 * (time.monotonic() - begin)
        if used <= limit:
            return None
        return LimitReached(f"It wrote {show_size(used)}; {show_size(limit)} are its limit.")


def _flushing(stream: BinaryIO) -> Callable[[bytes], object]:
    def write(data: bytes) -> None:
        stream.write(data)
        stream.flush()

    return write
