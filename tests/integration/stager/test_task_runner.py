"""The processes that tasks run in."""

from __future__ import annotations

import os
import signal

from support.processes import children
from support.stagers import Stagers


def test_a_task_process_that_is_killed_is_answered_for(pool: Stagers, app: str) -> None:
    stager = pool.start()
    waiting = pool.ask_later(*pool.gated(1))
    pool.cloud.until_waiting(1)
    (task,) = task_processes(stager.process.pid)
    os.kill(task, signal.SIGKILL)
    reply = waiting.result()[0]
    assert reply.error == (
        "Staging task failed:\n The task's process ended unexpectedly (signal 9, Killed)"
    )
    assert pool.workspaces == []


def test_processes_are_used_again_and_replaced_when_they_died(pool: Stagers, app: str) -> None:
    stager = pool.start(max_active_tasks=1)
    assert pool.stage(app).error is None
    first = task_processes(stager.process.pid)
    assert pool.stage(app).error is None
    assert task_processes(stager.process.pid) == first
    os.kill(first[0], signal.SIGKILL)
    # Whether the stager knows of it by now or not.
    assert pool.stage(app).error is None
    assert set(task_processes(stager.process.pid)).isdisjoint(first)


def task_processes(stager: int) -> list[int]:
    """Children of the server that the stager forks them from."""
    return [task for server in children(stager) for task in children(server)]
