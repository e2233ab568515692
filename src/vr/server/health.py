"""The pages that `vr up`, monitors and load balancers ask: does all work, and may requests come?

Anybody may ask, as often as they like: one thread checks, at most once a second, and all who
ask share its answer. Nobody waits longer than that for a check that hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from vr.server import migration_state
from vr.server.answers import Unavailable
from vr.server.celery_app import BROKER_ERRORS, QUEUES
from vr.server.celery_app import app as celery_app
from vr.server.events.announcing import redis_connection
from vr.server.files import store
from vr.server.shared_check import SharedCheck

Parts = Mapping[str, str]
"""The problem of each part; empty for one that is healthy."""

_LONGEST_WAIT = 3.0
_WORKER_SECONDS = 1.0
_SERVED_BY = {"celery": "worker", "builds": "builder"}


async def health(request: HttpRequest) -> JsonResponse:
    """`{"healthy": bool, "parts": {part: problem}}`, status 200 or 503; empty means healthy.

    Needs no login and tells no more than that a part doesn't answer.
    """
    return await _answer("healthy", _HEALTH)


async def ready(request: HttpRequest) -> JsonResponse:
    """`{"ready": bool, "parts": {part: problem}}`, as `health`: whether this process can do what
    requests ask for. Workers don't count: what they do waits."""
    return await _answer("ready", _READY)


async def _answer(word: str, check: SharedCheck[Parts]) -> JsonResponse:
    checked = asyncio.shield(asyncio.wrap_future(check.ask()))
    try:
        parts = await asyncio.wait_for(checked, _LONGEST_WAIT)
    except TimeoutError:
        parts = {"web": f"its check of database, Redis and queue takes over {_LONGEST_WAIT:.0f} s"}
    is_well = not any(parts.values())
    return JsonResponse({word: is_well, "parts": parts}, status=200 if is_well else 503)


def _parts() -> Parts:
    try:
        parts = {"web": _database_problem(), "redis": _redis_problem()}
        if store.in_bucket():
            parts["files"] = _files_problem()
        parts |= dict.fromkeys(_SERVED_BY.values(), "") if parts["redis"] else _worker_problems()
        return parts
    finally:
        connection.close()


def _parts_of_requests() -> Parts:
    try:
        database = _database_problem() or _migration_problem()
        parts = {"database": database, "redis": _redis_problem(), "queue": _queue_problem()}
        return parts | ({"files": _files_problem()} if store.in_bucket() else {})
    finally:
        connection.close()


def _migration_problem() -> str:
    try:
        missing = migration_state.pending()
    except DatabaseError:
        return "the database does not answer"
    return f"the database lacks {', '.join(missing)}: run migrate" if missing else ""


def _queue_problem() -> str:
    try:
        with celery_app.connection_for_write(connect_timeout=_WORKER_SECONDS) as queue:
            queue.ensure_connection(max_retries=1, timeout=_WORKER_SECONDS)
    except BROKER_ERRORS:
        return "the queue does not answer"
    return ""


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


_HEALTH = SharedCheck(_parts)
_READY = SharedCheck(_parts_of_requests)
