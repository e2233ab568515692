"""The health page: what `vr up` and monitors ask.

Anybody may ask, as often as they like: one thread checks, at most once a second, and all who
ask share its answer. Nobody waits longer than that for a check that hangs.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from vr.server.answers import Unavailable
from vr.server.celery_app import BROKER_ERRORS, QUEUES
from vr.server.celery_app import app as celery_app
from vr.server.events.announcing import redis_connection
from vr.server.files import store

Parts = Mapping[str, str]
"""The problem of each part; empty for one that is healthy."""

_FRESH_SECONDS = 1.0
_LONGEST_WAIT = 3.0
_WORKER_SECONDS = 1.0
_SERVED_BY = {"celery": "worker", "builds": "builder"}


async def health(request: HttpRequest) -> JsonResponse:
    """`{"healthy": bool, "parts": {part: problem}}`, status 200 or 503; empty means healthy.

    Needs no login and tells no more than that a part doesn't answer.
    """
    checked = asyncio.shield(asyncio.wrap_future(_CHECK.ask()))
    try:
        parts = await asyncio.wait_for(checked, _LONGEST_WAIT)
    except TimeoutError:
        parts = {"web": f"its check of database, Redis and queue takes over {_LONGEST_WAIT:.0f} s"}
    healthy = not any(parts.values())
    return JsonResponse({"healthy": healthy, "parts": parts}, status=200 if healthy else 503)


class SharedCheck:
    """One check at a time, whose answer is good for a second."""

    def __init__(self, check: Callable[[], Parts]) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._last: Future[Parts] | None = None
        self._ended = 0.0

    def ask(self) -> Future[Parts]:
        """The answer of the check that is under way or was made just now, else of a new one."""
        with self._lock:
            last = self._last
            if last is None or (last.done() and time.monotonic() - self._ended > _FRESH_SECONDS):
                last = self._last = self._thread.submit(self._run)
            return last

    def _run(self) -> Parts:
        try:
            return self._check()
        finally:
            self._ended = time.monotonic()


def _parts() -> Parts:
    try:
        parts = {"web": _database_problem(), "redis": _redis_problem()}
        if store.in_bucket():
            parts["files"] = _files_problem()
        parts |= dict.fromkeys(_SERVED_BY.values(), "") if parts["redis"] else _worker_problems()
        return parts
    finally:
        connection.close()


def _database_problem() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "the database does not answer"
    return ""


def _redis_problem() -> str:
    try:
        redis_connection().ping()
    except redis.RedisError:
        return "Redis does not answer"
    return ""


def _files_problem() -> str:
    from vr.server.files.bucket import bucket

    try:
        bucket().check()
    except Unavailable as error:
        return str(error)
    return ""


def _worker_problems() -> dict[str, str]:
    try:
        # Usually two workers serve all queues, and their answers come at once.
        served = _served_queues(limit=len(QUEUES))
        if not served.issuperset(QUEUES):
            served |= _served_queues(limit=None)
    except BROKER_ERRORS:
        return dict.fromkeys(_SERVED_BY.values(), "the queue does not answer")
    return {
        part: "" if queue in served else f"no worker answers on the queue {queue}"
        for queue, part in _SERVED_BY.items()
    }


def _served_queues(limit: int | None) -> set[str]:
    answers = celery_app.control.broadcast(
        "active_queues", reply=True, timeout=_WORKER_SECONDS, limit=limit
    )
    return {
        str(queue["name"])
        for answer in answers or ()
        for queues in answer.values()
        if isinstance(queues, list)
        for queue in queues
    }


_CHECK = SharedCheck(_parts)
