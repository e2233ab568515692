"""The health page: what `vr up` and monitors ask."""

from __future__ import annotations

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from vr.server.celery_app import app as celery_app
from vr.server.events.announcing import redis_connection


def health(request: HttpRequest) -> JsonResponse:
    """`{"healthy": bool, "parts": {part: problem}}`, status 200 or 503; empty means healthy.

    Needs no login and tells no more than that a part doesn't answer.
    """
    parts = {"web": _database_problem(), "redis": _redis_problem()}
    parts["worker"] = "" if parts["redis"] else _worker_problem()
    healthy = not any(parts.values())
    return JsonResponse({"healthy": healthy, "parts": parts}, status=200 if healthy else 503)


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


def _worker_problem() -> str:
    try:
        answers = celery_app.control.ping(timeout=1, limit=1)
    except (OSError, redis.RedisError):
        return "the queue does not answer"
    return "" if answers else "no worker answers on the queue"
