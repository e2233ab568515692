"""The processes that a stager's tasks run in: used again, or ended with all that they started.

They are forked from a small server that has everything imported already, and die with it and
with the stager. A process per task would cost more time than an ordinary task takes.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable

from vr.errors import VelociraptorError
from vr.stager import fork_server, task_process
from vr.stager.request import StagingRequest
from vr.stager.task import DONE, STAGE, STEPS, TaskSettings
from vr.stager.workspace import remove_abandoned

_TIDY_SECONDS = 120.0
"""How long the removal of a workspace may take."""
_DEATH_SECONDS = 5.0
"""How long a process takes to end once it does not speak any more."""

Line = Callable[[str], None]
Answer = Callable[[str | None], None]

log = logging.getLogger("vcap.stager.server")

_context = multiprocessing.get_context("forkserver")


class TaskRunner:
    """As many as tasks run at once; usable from several threads."""

    def __init__(self, settings: TaskSettings) -> None:
        self._settings = settings
        self._idle: deque[_Process] = deque()
        self._under_way: dict[str, _Process] = {}
        self._stopped: set[str] = set()

    def run(self, request: StagingRequest, line: Line, answer: Answer) -> None:
        """Run one task, and return when nothing is left of it.

        `line` gets the lines of its log in order, then `answer` the message of what failed, or
        None. A step that takes too long ends with the whole process tree. Raises OSError if there
        can be no process, without an answer.
        """
        while request.task_id not in self._stopped:
            chosen = self._take()
            self._under_way[request.task_id] = chosen
            try:
                error = chosen.stage(request, line)
            except _DiedIdle:
                del self._under_way[request.task_id]
                chosen.end()
            except _Unusable as unusable:
                del self._under_way[request.task_id]
                self._end(chosen)
                self._stopped.discard(request.task_id)
                answer(unusable.message)
                return
            else:
                del self._under_way[request.task_id]
                break
        else:
            self._stopped.discard(request.task_id)
            answer("Stopped.")
            return
        self._stopped.discard(request.task_id)
        answer(error)
        if chosen.becomes_free():
            self._idle.append(chosen)
        else:
            self._end(chosen)

    def stop(self, task_id: str) -> None:
        """Kill the process in which the task runs, if it does; `run` then clears up after it."""
        if (found := self._under_way.get(task_id)) is not None:
            self._stopped.add(task_id)
            found.kill()

    def close(self) -> None:
        """End those that are idle."""
        while self._idle:
            self._idle.pop().end()

    def _take(self) -> _Process:
        while True:
            try:
                found = self._idle.pop()
            except IndexError:
                return _Process(self._settings)
            if found.is_alive:
                return found
            found.end()

    def _end(self, ended: _Process) -> None:
        # What it started dies with it, except for what is in a container of its own.
        ended.end()
        try:
            remove_abandoned(self._settings.tmp)
        except (OSError, VelociraptorError) as error:
            # Tried again by whichever stager is idle; the requester is to hear what happened.
            log.warning("What a task left could not be removed yet: %s", error)


class _Unusable(VelociraptorError):
    """The process has died, or its task takes too long: it must be ended."""


class _DiedIdle(VelociraptorError):
    """The process had died before it took the request; another one can take it."""


class _Process:
    """One process, seen from the stager."""

    def __init__(self, settings: TaskSettings) -> None:
        self._seconds = settings.seconds
        self._is_new, self._has_begun = True, False
        self._pipe, theirs = _context.Pipe()
        self._process = _context.Process(
            target=task_process.main, args=(theirs, settings), daemon=True
        )
        fork_server.ensure_running(settings.tmp)
        self._process.start()
        theirs.close()

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def stage(self, request: StagingRequest, line: Line) -> str | None:
        """The message of what failed, None if nothing did. Raises _Unusable and _DiedIdle."""
        was_idle, self._is_new, self._has_begun = not self._is_new, False, False
        try:
            self._pipe.send(request)
            return self._follow(line)
        except (EOFError, OSError):
            if was_idle and not self._has_begun:
                raise _DiedIdle("The process had died.") from None
            self._process.join(_DEATH_SECONDS)
            how = _how(self._process.exitcode)
            raise _Unusable(f"The task's process ended unexpectedly ({how})") from None

    def becomes_free(self) -> bool:
        """Wait until it has tidied up; False if that never happens."""
        try:
            return self._pipe.poll(_TIDY_SECONDS) and self._pipe.recv()[0] == "free"
        except (EOFError, OSError):
            return False

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._pipe.close()
        self._process.kill()
        self._process.join()
        self._process.close()

    def _follow(self, line: Line) -> str | None:
        step, deadline = STEPS[0], time.monotonic() + self._seconds
        while self._pipe.poll(max(0.0, deadline - time.monotonic())):
            kind, value = self._pipe.recv()
            self._has_begun = True
            if kind == "step":
                step, deadline = value, time.monotonic() + self._seconds
                line(step[0])
            elif kind == "line":
                line(value)
            elif kind == "done":
                line(DONE)
                return None
            else:
                message, details = value
                for each in details.splitlines():
                    line(each)
                return str(message)
        if step == STAGE:
            problem = f"Staging timed out after {self._seconds} seconds."
        else:
            problem = f"{step[1]}: timed out after {self._seconds} seconds."
        line(problem)
        raise _Unusable(problem)


def _how(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"status {exit_code}"
    return f"signal {-exit_code}, {signal.strsignal(-exit_code)}"
