"""What is the machine's trouble and not the request's: said in a sentence, with status 503."""

from __future__ import annotations

import errno
import logging

import redis
from amqp.exceptions import AMQPError
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, ValidationError
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from kombu.exceptions import KombuError

from vr.errors import InvalidInput, VelociraptorError
from vr.server.answers import Unavailable, answer, readable

log = logging.getLogger(__name__)

# SQLite's, of values in a query.
_TOO_LONG = ("pattern too complex", "string or blob too big")
_FULL = {errno.ENOSPC, errno.EDQUOT}


def sentence_for(error: Exception) -> VelociraptorError | None:
    """What users are told of `error`; None if it is neither an outage nor a user's mistake."""
    if isinstance(error, VelociraptorError):
        return error
    if isinstance(error, ValidationError):
        return InvalidInput("what is stored or was sent", error.messages)
    if isinstance(error, TooManyFieldsSent | RequestDataTooBig):
        what = "fields" if isinstance(error, TooManyFieldsSent) else "bytes"
        return InvalidInput("request", [f"has too many {what}"])
    if isinstance(error, DatabaseError) and any(words in str(error) for words in _TOO_LONG):
        return InvalidInput("what was sent", ["a text in it is too long to be looked for"])
    if isinstance(error, OperationalError | InterfaceError):
        if "disk is full" in str(error) or "No space left" in str(error):
            return _full()
        what = "is busy" if "locked" in str(error) else "does not answer"
        return Unavailable(f"The database {what}, so nothing was done.", hint="Try again soon.")
    if isinstance(error, KombuError | AMQPError):
        sentence = "The queue does not answer now, so workers were not told."
        return Unavailable(sentence, hint="They look for open work by themselves, once it does.")
    if isinstance(error, redis.RedisError):
        sentence = "The state of procs can't be read now, as Redis does not answer."
        return Unavailable(sentence, hint="See `vr status`.")
    if isinstance(error, OSError) and error.errno in _FULL:
        return _full()
    return None


def _full() -> Unavailable:
    return Unavailable(
        "The server's disk is full, so nothing was done.", hint="Free some space, then try again."
    )


class Outages:
    """Middleware: outages at pages and streams are answered with their sentence."""

    sync_capable = async_capable = True

    def __init__(self, get_response: object) -> None:
        from asgiref.sync import iscoroutinefunction, markcoroutinefunction

        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> object:
        return self._get_response(request)  # type: ignore[operator]

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The answer for an outage; None leaves other exceptions to Django."""
        found = sentence_for(error)
        if found is None:
            return None
        log.error("%s %s: %r", request.method, request.path, error)
        return readable(request.path, answer(found))
