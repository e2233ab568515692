"""Starting programs, and collecting every exit status of this PID in one place.

As PID 1 the pilot inherits every orphan of its container. `reap` is the only caller of waitpid:
it hands each status to whoever started that program, and drops those of orphans. Nothing else may
wait, or a status would be lost between the two, as the original lost some.
"""

from __future__ import annotations

import os
import signal
from typing import NamedTuple

from vr.pilot.errors import CannotStart
from vr.pilot.futures import Cancelled, Future, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vr.pilot.loop import Loop

NOT_FOUND = 127
NOT_EXECUTABLE = 126


class Exit(NamedTuple):
    """How a program ended: `status` is its exit status, or 0 if `signal` killed it."""

    status: int
    signal: int = 0

    @property
    def ok(self) -> bool:
        return self.status == 0 and self.signal == 0

    @property
    def code(self) -> int:
        """The exit code that tells it on: N, or 128 + the signal."""
        return 128 + self.signal if self.signal else self.status

    def __str__(self) -> str:
        """As Go writes it: `exit status 3`, `signal: killed`."""
        if not self.signal:
            return f"exit status {self.status}"
        return f"signal: {(signal.strsignal(self.signal) or str(self.signal)).lower()}"


def exit_of(wait_status: int) -> Exit:
    """What waitpid's number means."""
    if os.WIFSIGNALED(wait_status):
        return Exit(0, os.WTERMSIG(wait_status))
    return Exit(os.WEXITSTATUS(wait_status))


class Process:
    """A running program that leads a process group of its own."""

    def __init__(self, pid: int, exit: Future[Exit]) -> None:
        self.pid = pid
        self.exit = exit

    def signal_group(self, number: int) -> None:
        """Signal the program and all that share its group.

        Only before its status was collected: afterwards the number may belong to somebody else.
        """
        if not self.exit.done:
            try:
                os.killpg(self.pid, number)
            except (ProcessLookupError, PermissionError):
                pass  # only zombies are left, or it became somebody else's program

    def signal_one(self, number: int) -> None:
        """Signal the program alone."""
        if not self.exit.done:
            try:
                os.kill(self.pid, number)
            except PermissionError:
                pass


class Processes:
    """All programs that the pilot runs."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._running: dict[int, Process] = {}
        self.orphans = 0

    def start(
        self, argv: Sequence[str], environ: Mapping[str, str], stdout: int | None = None
    ) -> Process:
        """Run a program with stdin from /dev/null; raises CannotStart.

        `stdout` is a descriptor for its output; None lets it have the pilot's own.
        """
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        ]
        if stdout is not None:
            actions.append((os.POSIX_SPAWN_DUP2, stdout, 1))
        try:
            pid = os.posix_spawnp(
                argv[0],
                list(argv),
                environ,
                file_actions=actions,
                setpgroup=0,
                # Python ignores the first two; exec would let the program inherit that.
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, *self._loop.handled_signals],
            )
        except (OSError, ValueError) as error:
            raise _cannot_start(argv[0], error) from None
        process = Process(pid, Future(self._loop))
        self._running[pid] = process
        return process

    async def run(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        timeout: float | None = None,
        stdout: int | None = None,
    ) -> Exit:
        """Run a program to its end.

        Raises CannotStart, and TimedOut after `timeout` seconds. Whoever stops waiting, by
        timeout or because the task was cancelled, leaves nothing running: the whole process
        group is killed.
        """
        process = self.start(argv, environ, stdout)
        timer = None
        late = False
        if timeout is not None:

            def expire() -> None:
                nonlocal late
                late = not process.exit.done
                process.signal_group(signal.SIGKILL)

            timer = self._loop.call_at(self._loop.time() + timeout, expire)
        try:
            ended = await process.exit
        except Cancelled:
            process.signal_group(signal.SIGKILL)
            raise
        finally:
            if timer is not None:
                timer.cancel()
        if late and ended.signal == signal.SIGKILL:
            raise TimedOut
        return ended

    def reap(self, _signal: int = 0) -> None:
        """Collect everything that has ended; called for each SIGCHLD."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            process = self._running.pop(pid, None)
            if process is None:
                self.orphans += 1
            else:
                process.exit.set_result(exit_of(status))

    def kill_all(self) -> None:
        """SIGKILL every group that is still running."""
        for process in self._running.values():
            process.signal_group(signal.SIGKILL)


def _cannot_start(program: str, error: Exception) -> CannotStart:
    if isinstance(error, FileNotFoundError):
        if "/" in program:
            return CannotStart(f"fork/exec {program}: no such file or directory", NOT_FOUND)
        return CannotStart(f'exec: "{program}": executable file not found in $PATH', NOT_FOUND)
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return CannotStart(f"fork/exec {program}: {(reason or 'unknown').lower()}", NOT_EXECUTABLE)
