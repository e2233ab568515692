"""A NATS connection that outlives its server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client

from vr.errors import VelociraptorError
from vr.files.download import without_credentials

_RETRY_SECONDS = 0.5
_FLUSH_SECONDS = 2
_WHILE_AWAY_BYTES = 64 << 20
"""How much may wait to be sent while the server is away: replies must not be lost."""


async def connect(
    uri: str,
    *,
    name: str,
    log: logging.Logger,
    patience: float | None,
    on_change: Callable[[bool], None] = lambda _connected: None,
) -> Client:
    """A connection to the NATS server at `uri`, which comes back by itself whenever it breaks.

    A server that is not there yet is waited for, `patience` seconds at most (None: for ever).
    `on_change` is told when the connection breaks (False) and is there again (True). Raises
    VelociraptorError if it does not come.
    """
    shown = without_credentials(uri)

    async def lost() -> None:
        if not client.is_closed and not client.is_draining:
            log.warning("Lost the NATS server at %s, trying to reconnect", shown)
        on_change(False)

    async def back() -> None:
        log.info("Connected to the NATS server at %s again", shown)
        on_change(True)

    async def complain(error: Exception) -> None:
        log.debug("NATS: %s", error)

    options: dict[str, Any] = {
        "name": name,
        "disconnected_cb": lost,
        "reconnected_cb": back,
        "error_cb": complain,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": _RETRY_SECONDS,
        "pending_size": _WHILE_AWAY_BYTES,
        "connect_timeout": 3,
    }
    client = Client()
    waited = 0.0
    while True:
        try:
            await _try(client, uri, options)
            return client
        except Exception as error:
            if not _worth_waiting(error) or (patience is not None and waited >= patience):
                raise VelociraptorError(
                    f"The NATS server at {shown} can't be used: {_reason(error)}.",
                    hint="Start nats-server, or correct nats_uri.",
                ) from None
            if waited == 0:
                log.warning("Waiting for the NATS server at %s: %s", shown, _reason(error))
            await asyncio.sleep(_RETRY_SECONDS)
            waited += _RETRY_SECONDS
            client = Client()


async def until_received(client: Client, leaving: asyncio.Event) -> None:
    """Wait until the server has all that was sent to it, above all what is subscribed to: before,
    what others send is lost. A server that is away is waited for, until `leaving` is set.
    """
    while not leaving.is_set():
        try:
            await client.flush(_FLUSH_SECONDS)
        except (TimeoutError, nats.errors.Error):
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


async def _try(client: Client, uri: str, options: dict[str, Any]) -> None:
    """One attempt. The port is tried first, since the library retries for ever once told to."""
    parts = urlsplit(uri)
    _reader, writer = await asyncio.wait_for(
        asyncio.open_connection(parts.hostname, parts.port or 4222), 3
    )
    writer.close()
    await asyncio.wait_for(client.connect(uri, **options), 5)


def _worth_waiting(error: Exception) -> bool:
    return isinstance(error, OSError | asyncio.TimeoutError | nats.errors.Error) and not isinstance(
        error, nats.errors.AuthorizationError
    )


def _reason(error: Exception) -> str:
    if isinstance(error, nats.errors.Error):
        return str(error).removeprefix("nats: ").strip("'")
    if isinstance(error, asyncio.TimeoutError):
        return "it does not answer"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
