"""A task in a process of its own, which can be ended at any moment with all that it started.

Processes are forked from a small server that has everything imported already: starting one takes
milliseconds. They die with it, and with the stager.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import select
import signal
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from vr.stager.request import StagingRequest
from vr.stager.task import DONE, STAGE, STEPS, Step, StepFailed, TaskSettings, run_task
from vr.stager.workspace import remove_abandoned

_PR_SET_PDEATHSIG = 1

_context = multiprocessing.get_context("forkserver")


def warm_up() -> None:
    """Start the server that tasks are forked from; call it before threads are started."""
    multiprocessing.set_forkserver_preload(["vr.stager.preload"])
    from multiprocessing import forkserver

    forkserver.ensure_running()


class TaskProcess:
    """Runs one task; `line` gets the lines of its log, in order, from the thread that calls."""

    def __init__(
        self, request: StagingRequest, settings: TaskSettings, line: Callable[[str], None]
    ) -> None:
        self._request = request
        self._settings = settings
        self._line = line
        self._step: Step = STEPS[0]
        self._deadline = 0.0

    def run(self) -> str | None:
        """Wait for the task; returns the message of what failed, or None. Raises nothing.

        A step that takes too long ends with the whole process tree.
        """
        ours, theirs = _context.Pipe(duplex=False)
        process = _context.Process(
            target=_main, args=(theirs, self._request, self._settings), daemon=True
        )
        self._begin(STEPS[0], say=False)
        process.start()
        theirs.close()
        with ours:
            try:
                return self._follow(ours)
            except EOFError:
                process.join()
                return f"The task's process ended unexpectedly ({_how(process.exitcode)})"
            finally:
                self._end(process)

    def _follow(self, messages: Connection) -> str | None:
        while messages.poll(max(0.0, self._deadline - time.monotonic())):
            kind, value = messages.recv()
            if kind == "step":
                self._begin(value)
            elif kind == "line":
                self._line(value)
            elif kind == "done":
                self._line(DONE)
                return None
            else:
                for line in value[1].splitlines():
                    self._line(line)
                return str(value[0])
        seconds = self._settings.seconds
        if self._step == STAGE:
            message = f"Staging timed out after {seconds} seconds."
        else:
            message = f"{self._step[1]}: timed out after {seconds} seconds."
        self._line(message)
        return message

    def _begin(self, step: Step, *, say: bool = True) -> None:
        self._step = step
        self._deadline = time.monotonic() + self._settings.seconds
        if say:
            self._line(step[0])

    def _end(self, process: Any) -> None:
        # What the task started dies with it, except for what is in a container of its own.
        process.join(0.5)
        if process.is_alive():
            process.kill()
            process.join()
        if process.exitcode != 0:
            remove_abandoned(self._settings.tmp)
        process.close()


def _main(messages: Connection, request: StagingRequest, settings: TaskSettings) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_die_with_the_reader, args=(messages.fileno(),), daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)  # they are for the stager, which drains
    os.umask(0o022)
    try:
        run_task(
            request,
            settings,
            lambda step: messages.send(("step", step)),
            lambda line: messages.send(("line", line)),
        )
    except StepFailed as error:
        messages.send(("failed", (error.message, error.details)))
    except BrokenPipeError:
        return  # the stager has gone, and nobody waits for this task any more
    except Exception as error:
        messages.send(("failed", (f"Internal error: {error!r}", traceback.format_exc())))
    else:
        messages.send(("done", None))


def _die_with_the_reader(pipe: int) -> None:
    """End this process as soon as nobody can read what it says: its stager was killed.

    The server that it was forked from lives on as long as one of its children does.
    """
    poll = select.poll()
    poll.register(pipe, 0)  # errors are always reported
    poll.poll()
    os.kill(os.getpid(), signal.SIGKILL)


def _how(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"status {exit_code}"
    return f"signal {-exit_code}, {signal.strsignal(-exit_code)}"
