"""A stager from its configuration to its end: pid file, log, connection, signals."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

from vr.bus.addresses import own_address
from vr.bus.component import Component, announce
from vr.bus.joining import join, new_id
from vr.bus.pages import pages_served
from vr.bus.pid_file import pid_file
from vr.bus.service_log import start_logging
from vr.errors import VelociraptorError
from vr.stager import fork_server
from vr.stager.config import StagerConfig
from vr.stager.service import Stager

_ENDS = (signal.SIGUSR2, signal.SIGINT, signal.SIGTERM)

log = logging.getLogger("vcap.stager.server")


def serve(config: StagerConfig) -> None:
    """Serve until a signal (USR2, INT, TERM) and until what runs then is finished.

    Raises VelociraptorError if the pid file, the log or the folder of tasks can't be written.
    """
    os.umask(0o022)
    with pid_file(Path(config.pid_filename)):
        start_logging(config.logging)
        _start_fork_server(Path(config.dirs.tmp))
        asyncio.run(_serve(config))


def _start_fork_server(tmp: Path) -> None:
    try:
        fork_server.ensure_running(tmp)
    except OSError as error:
        raise VelociraptorError(
            f"The folder {tmp}, where tasks would work, can't be used: {error.strerror}.",
            hint="Correct dirs.tmp, or the folder's permissions.",
        ) from None


async def _serve(config: StagerConfig) -> None:
    component = Component("Stager", new_id(config.index), config.index)
    joined = await join(config.nats_uri, name=f"vstager {component.id}", log=log, ends=_ENDS)
    if joined is None:
        log.info("Shutdown complete")
        return
    client, outbox = joined
    try:
        stager = Stager(config, component.id, client, outbox)
        loop = asyncio.get_running_loop()
        for number in _ENDS:
            loop.add_signal_handler(number, stager.stop)
        host = config.host or own_address(config.local_route)
        with pages_served(component.pages(stager.facts), host, config.status) as place:
            await announce(component, place, client, outbox)
            await stager.run()
    finally:
        await client.close()
