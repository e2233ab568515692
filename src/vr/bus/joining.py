"""How a service joins the bus: its id, its connection, and a way out while it waits for one."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
from collections.abc import Iterable

from nats.aio.client import Client

from vr.bus.connection import connect
from vr.bus.outbox import Outbox


def new_id(index: int | None) -> str:
    """32 hexadecimal digits, after `index-` if there is one."""
    token = secrets.token_hex(16)
    return token if index is None else f"{index}-{token}"


async def join(
    uri: str, *, name: str, log: logging.Logger, ends: Iterable[signal.Signals]
) -> tuple[Client, Outbox] | None:
    """A connection to the NATS server at `uri`, waited for without end, and the outbox for it.

    None if one of the signals `ends` came first. Raises VelociraptorError if waiting is no use.
    """
    loop = asyncio.get_running_loop()
    outbox = Outbox()
    connecting = asyncio.create_task(
        connect(uri, name=name, log=log, patience=None, on_change=outbox.connected)
    )
    for number in ends:
        loop.add_signal_handler(number, connecting.cancel)
    try:
        return await connecting, outbox
    except asyncio.CancelledError:
        return None
