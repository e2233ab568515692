"""The process that tasks run in, one after another; what it is sent, and what it says.

It gets a StagingRequest at a time, and sends pairs: ("step", TaskStep), ("line", str), then
("failed", (message, details)) or ("done", None), and ("free", None) once nothing is left of the
task. It may be ended at any moment, with all that it started.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import threading
import traceback
from multiprocessing.connection import Connection

from vr.stager.request import StagingRequest
from vr.stager.task import StepFailed, TaskSettings, run_task

_PR_SET_PDEATHSIG = 1


def main(pipe: Connection, settings: TaskSettings) -> None:
    """Run what comes through `pipe` until its other end is closed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_die_with_the_stager, args=(pipe.fileno(),), daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)  # they are for the stager, which drains
    os.umask(0o022)
    try:
        while True:
            _run(pipe.recv(), settings, pipe)
            pipe.send(("free", None))
    except (EOFError, BrokenPipeError):
        return  # the stager has gone, and nobody waits for this task any more


def _run(request: StagingRequest, settings: TaskSettings, pipe: Connection) -> None:
    try:
        run_task(
            request,
            settings,
            begin=lambda step: pipe.send(("step", step)),
            tell=lambda line: pipe.send(("line", line)),
            # Told before the workspace is removed: of a large app, that takes its time.
            done=lambda: pipe.send(("done", None)),
        )
    except StepFailed as error:
        pipe.send(("failed", (error.message, error.details)))
    except BrokenPipeError:
        raise
    except Exception as error:
        pipe.send(("failed", (f"Internal error: {error!r}", traceback.format_exc())))


def _die_with_the_stager(pipe: int) -> None:
    """End this process as soon as nobody can read what it says: its stager was killed.

    The server that it was forked from lives on as long as one of its children does.
    """
    poll = select.poll()
    poll.register(pipe, 0)  # errors are always reported
    poll.poll()
    os.kill(os.getpid(), signal.SIGKILL)
