"""A DEA from its configuration to its end: folders, pid file, log, connection, signals."""

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
from vr.dea.agent import Agent
from vr.dea.config import DeaConfig
from vr.dea.folders import Folders
from vr.dea.runtimes import installed_version
from vr.errors import VelociraptorError
from vr.files.locks import Lock

log = logging.getLogger("vcap.dea.agent")


def serve(config: DeaConfig) -> None:
    """Run instances until TERM, INT or QUIT (stop them) or USR2 (evacuate, then stop them).

    Raises VelociraptorError if it is not root, or if another DEA has the same base_dir.
    """
    if os.geteuid() != 0:
        raise VelociraptorError("vdea starts containers, for which it must be root.")
    os.umask(0o022)
    folders = Folders(Path(config.base_dir).absolute())
    folders.make()
    with Lock(folders.base / ".lock"), pid_file(Path(config.pid_filename)):
        start_logging(config.logging)
        asyncio.run(_serve(config, folders))


async def _serve(config: DeaConfig, folders: Folders) -> None:
    dea_id = secrets.token_hex(16)
    if config.index is not None:
        dea_id = f"{config.index}-{dea_id}"
    # An image's own versions are unknown: what a message wishes for is taken as it is.
    executables = {} if config.image else config.runtimes
    versions = {name: installed_version(path) for name, path in executables.items()}
    loop = asyncio.get_running_loop()
    outbox = Outbox()
    connecting = asyncio.create_task(
        connect(
            config.nats_uri,
            name=f"vdea {dea_id}",
            log=log,
            patience=None,
            on_change=outbox.connected,
        )
    )
    ends = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
    for number in (*ends, signal.SIGUSR2):
        loop.add_signal_handler(number, connecting.cancel)
    try:
        client = await connecting
    except asyncio.CancelledError:
        return
    agent = Agent(config, dea_id, folders, versions, client, outbox)
    leaving: list[asyncio.Task[None]] = []
    for number in ends:
        loop.add_signal_handler(
            number, lambda: leaving.append(asyncio.create_task(agent.shut_down()))
        )
    loop.add_signal_handler(
        signal.SIGUSR2, lambda: leaving.append(asyncio.create_task(agent.evacuate()))
    )
    try:
        await agent.run()
    finally:
        for task in leaving:
            task.cancel()
        await client.close()
