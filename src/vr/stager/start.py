"""A stager from its configuration to its end: pid file, log, connection, signals."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
from pathlib import Path

from vr.bus.connection import connect
from vr.bus.outbox import Outbox
from vr.bus.pid_file import pid_file
from vr.bus.service_log import start_logging
from vr.stager.config import StagerConfig
from vr.stager.service import Stager
from vr.stager.workers import warm_up

log = logging.getLogger("vcap.stager.server")


def serve(config: StagerConfig) -> None:
    """Serve until a signal (USR2, INT, TERM) and until what runs then is finished.

    Raises VelociraptorError if the pid file can't be written.
    """
    os.umask(0o022)
    with pid_file(Path(config.pid_filename)):
        start_logging(config.logging)
        warm_up()
        asyncio.run(_serve(config))


async def _serve(config: StagerConfig) -> None:
    stager_id = secrets.token_hex(16)
    if config.index is not None:
        stager_id = f"{config.index}-{stager_id}"
    loop = asyncio.get_running_loop()
    outbox = Outbox()
    connecting = asyncio.create_task(
        connect(
            config.nats_uri,
            name=f"vstager {stager_id}",
            log=log,
            patience=None,
            on_change=outbox.connected,
        )
    )
    for number in (signal.SIGUSR2, signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, connecting.cancel)
    try:
        client = await connecting
    except asyncio.CancelledError:
        log.info("Shutdown complete")
        return
    stager = Stager(config, stager_id, client, outbox)
    for number in (signal.SIGUSR2, signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stager.stop)
    try:
        await stager.run()
    finally:
        await client.close()
