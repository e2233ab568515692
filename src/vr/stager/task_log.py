"""The log that a task's reply holds, and the reply itself (docs/reference/staging.md)."""

from __future__ import annotations

from collections import deque
from datetime import datetime

import msgspec

_HEAD_BYTES = 128 << 10
_TAIL_BYTES = 128 << 10
"""Together well below the 1 MB that NATS carries at once, also when escaped as JSON."""


def log_line(message: str, moment: datetime) -> str:
    """`[YYYY-MM-DD HH:MM:SS] message`, with its newline."""
    return f"[{moment:%Y-%m-%d %H:%M:%S}] {message}\n"


class TaskLog:
    """Lines in order; of a log that grows too large, its beginning and its end."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._head_size = self._tail_size = self._left_out = 0

    def add(self, message: str, moment: datetime) -> None:
        line = log_line(message, moment)
        # Counted as JSON spells it: a control character takes six bytes there.
        size = len(msgspec.json.encode(line))
        if not self._tail and self._head_size + size <= _HEAD_BYTES:
            self._head.append(line)
            self._head_size += size
            return
        self._tail.append(line)
        self._tail_size += size
        while self._tail_size > _TAIL_BYTES and len(self._tail) > 1:
            self._tail_size -= len(msgspec.json.encode(self._tail.popleft()))
            self._left_out += 1

    def text(self) -> str:
        left_out = [f"… {self._left_out} lines left out …\n"] if self._left_out else []
        return "".join([*self._head, *left_out, *self._tail])


def failure(message: str) -> str:
    """The `error` of a reply, for the message of the step that failed."""
    return f"Staging task failed:\n {message}"


def reply(task_id: str, task_log: str, error: str | None = None) -> bytes:
    """The JSON that answers a request; success is the absence of `error`."""
    document = {"task_id": task_id, "task_log": task_log}
    if error is not None:
        document["error"] = error
    return msgspec.json.encode(document)
