"""Logs of the server's processes for machines: one JSON object a line, with the dispatch's trace.

Only the standard library is imported here: settings are read before anything else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_trace: ContextVar[str] = ContextVar("trace", default="")
# Loggers that set themselves up: what they say goes the way of all others.
_OWN_WAYS = ("uvicorn", "uvicorn.error", "uvicorn.access", "celery", "django", "django.server")


@contextmanager
def traced(trace_id: str) -> Iterator[None]:
    """What is logged within, by this thread and crews that work for it, belongs to the dispatch."""
    token = _trace.set(trace_id)
    try:
        yield
    finally:
        _trace.reset(token)


class JsonLines(logging.Formatter):
    """`time` (ISO, UTC), `level`, `logger`, `message`; `trace_id` and `exception` if any."""

    def format(self, record: logging.LogRecord) -> str:
        found: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "thread": record.threadName,
        }
        if trace_id := _trace.get():
            found["trace_id"] = trace_id
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=False)


def json_logging(level: int | str = "INFO") -> dict[str, Any]:
    """The configuration, for logging.config.dictConfig: all to stderr, as JSON lines."""
    quiet = {"handlers": [], "propagate": True, "level": "NOTSET"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "vr.server.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: dict(quiet) for name in _OWN_WAYS},
    }
