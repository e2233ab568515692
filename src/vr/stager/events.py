"""What stagers tell about tasks while these run (docs/reference/staging.md#task-events).

Subject `vstager.task.<task id>`, JSON:
`{"task_id", "stager", "event", "line"?}`. Events: `accepted` (it may have to wait), `started`,
`line` (one of the log), `alive` (every second, from `accepted` on), `finished`. Whoever waits for
a task and hears nothing for some seconds knows that its stager is lost.
"""

from __future__ import annotations

from typing import Literal

import msgspec

ALIVE_SECONDS = 1.0

Kind = Literal["accepted", "started", "line", "alive", "finished"]


class TaskEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    task_id: str
    stager: str
    event: Kind
    line: str = ""


def subject(task_id: str) -> str:
    return f"vstager.task.{task_id}"


def stop_subject(task_id: str) -> str:
    """Where a requester says that it does not want the task any more; no data, no answer."""
    return f"vstager.stop.{task_id}"


def encode(event: TaskEvent) -> bytes:
    return msgspec.json.encode(event)


def decode(data: bytes) -> TaskEvent | None:
    """The event; None for anything else that somebody may have published there."""
    try:
        return msgspec.json.decode(data, type=TaskEvent)
    except msgspec.DecodeError:
        return None
