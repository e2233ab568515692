"""A DEA from its configuration to its end: folders, pid file, log, connection, signals."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

import msgspec

from vr.bus.addresses import own_address
from vr.bus.component import Component, announce
from vr.bus.joining import join, new_id
from vr.bus.pages import WebSettings, pages_served
from vr.bus.pid_file import pid_file
from vr.bus.service_log import start_logging
from vr.dea.agent import Agent
from vr.dea.config import DeaConfig
from vr.dea.file_pages import file_pages
from vr.dea.folders import Folders
from vr.dea.registry import Registry
from vr.dea.runtimes import installed_version, problem
from vr.errors import VelociraptorError
from vr.files.locks import Lock
from vr.runner.host_folders import SEEN_FOLDERS

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_EVACUATE = signal.SIGUSR2

log = logging.getLogger("vcap.dea.agent")


def serve(config: DeaConfig) -> None:
    """Run instances until TERM, INT or QUIT (stop them) or USR2 (evacuate, then stop them).

    Raises VelociraptorError if it is not root, or if another DEA has the same base_dir.
    """
    if os.geteuid() != 0:
        raise VelociraptorError("vdea starts containers, for which it must be root.")
    os.umask(0o022)
    config = msgspec.structs.replace(config, host=config.host or own_address(config.local_route))
    folders = Folders(Path(config.base_dir).absolute())
    folders.make()
    with Lock(folders.base / ".lock"), pid_file(Path(config.pid_filename)):
        start_logging(config.logging)
        asyncio.run(_serve(config, folders))


async def _serve(config: DeaConfig, folders: Folders) -> None:
    component = Component("DEA", new_id(config.index), config.index)
    versions: dict[str, str] = {}
    # What an image has, and in which version, is unknown: what a message wishes for is taken.
    if not config.image:
        config = msgspec.structs.replace(config, runtimes=_runtimes_that_run(config))
        versions = {name: installed_version(path) for name, path in config.runtimes.items()}
    name = f"vdea {component.id}"
    joined = await join(config.nats_uri, name=name, log=log, ends=(*_STOP, _EVACUATE))
    if joined is None:
        return
    client, outbox = joined
    registry = Registry(config)

    def droplet_of(instance: str) -> Path | None:
        known = instance in registry.instances
        return folders.instance(instance).droplet if known else None

    try:
        filer = WebSettings(port=config.filer_port)
        with pages_served(file_pages(droplet_of), config.host, filer) as files:
            agent = Agent(config, component.id, folders, versions, registry, files, client, outbox)
            with pages_served(component.pages(agent.facts), config.host, config.status) as place:
                await announce(component, place, client, outbox)
                await _run(agent)
    finally:
        await client.close()


def _runtimes_that_run(config: DeaConfig) -> dict[str, str]:
    """Those of the configuration that apps can be run with on this machine; says which can't."""
    seen = [*SEEN_FOLDERS, *(mount.src_path for mount in config.bind_mounts)]
    offered = {}
    for name, executable in config.runtimes.items():
        if why := problem(executable, seen):
            log.warning("The runtime %s is not offered: %s", name, why)
        else:
            offered[name] = executable
    return offered


async def _run(agent: Agent) -> None:
    loop = asyncio.get_running_loop()
    leaving: list[asyncio.Task[None]] = []
    for number in _STOP:
        loop.add_signal_handler(
            number, lambda: leaving.append(asyncio.create_task(agent.shut_down()))
        )
    loop.add_signal_handler(
        _EVACUATE, lambda: leaving.append(asyncio.create_task(agent.evacuate()))
    )
    try:
        await agent.run()
    finally:
        for task in leaving:
            task.cancel()
