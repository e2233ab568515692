"""The DEA on the bus: what it is told (docs/reference/dea.md#subjects)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from vr.bus.connection import until_received
from vr.bus.documents import decode_object, mapping
from vr.bus.outbox import Outbox
from vr.bus.pages import Place
from vr.dea.announcements import Announcements
from vr.dea.config import DeaConfig
from vr.dea.folders import Folders
from vr.dea.lifecycle import Lifecycle
from vr.dea.messages import parse_filter, parse_start
from vr.dea.registry import Registry
from vr.dea.runtimes import choose
from vr.dea.usage import disk_percent
from vr.errors import VelociraptorError

log = logging.getLogger("vcap.dea.agent")

Handler = Callable[[dict[str, Any], str], Awaitable[None]]


class Agent:
    """Runs instances until it is stopped or evacuated; `versions` are those of its runtimes.

    `files` is where the files of the instances in `registry` are served.
    """

    def __init__(
        self,
        config: DeaConfig,
        dea_id: str,
        folders: Folders,
        versions: dict[str, str],
        registry: Registry,
        files: Place,
        client: Client,
        outbox: Outbox,
    ) -> None:
        self.id = dea_id
        self._config = config
        self._folders = folders
        self._versions = versions
        self._registry = registry
        self._client = client
        self._outbox = outbox
        self._tell = Announcements(dea_id, config, registry, outbox, files)
        self._lifecycle = Lifecycle(config, folders, registry, self._tell)
        self._left = asyncio.Event()

    def facts(self) -> dict[str, Any]:
        """How it is, for people and programs that look at it."""
        return self._tell.status()

    # From its start to its end

    async def run(self) -> None:
        """Serve until `shut_down` or `evacuate` is done."""
        background = [asyncio.create_task(self._outbox.run(self._client))]
        await self._lifecycle.clear()
        await self._subscribe()
        self._tell.say("dea.start", self._tell.hello())
        self._tell.advertise()
        every = self._config.intervals
        for seconds, action in (
            (every.advertise, self._tell.advertise),
            (every.heartbeat, self._tell.heartbeat),
            (every.register, self._tell.register_all),
        ):
            background.append(asyncio.create_task(_repeat(seconds, action)))
        await until_received(self._client, self._left)
        log.info("DEA %s running", self.id)
        try:
            await self._left.wait()
            await self._outbox.empty(self._client)
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)

    async def shut_down(self) -> None:
        """Stop every instance, say so, and let `run` return."""
        if self._tell.leaving == "DEA_SHUTDOWN":
            return
        self._tell.leaving = "DEA_SHUTDOWN"
        log.info("Shutting down: stopping %d instance(s)", len(self._registry.alive))
        await self._lifecycle.stop_all("DEA_SHUTDOWN")
        self._left.set()

    async def evacuate(self) -> None:
        """Say that the instances are to be started elsewhere; go when there was time for it."""
        if self._tell.leaving:
            return
        self._tell.leaving = "DEA_EVACUATION"
        log.info("Evacuating %d instance(s)", len(self._registry.alive))
        for instance in self._registry.alive:
            self._tell.exited(instance, "DEA_EVACUATION")
        await asyncio.sleep(self._config.evacuation_delay)
        await self.shut_down()

    # What it is told

    async def _subscribe(self) -> None:
        handlers: dict[str, Handler] = {
            f"dea.{self.id}.start": self._on_start,
            "dea.stop": self._on_stop,
            "dea.update": self._on_update,
            "dea.discover": self._on_discover,
            "dea.find.droplet": self._on_find,
            "dea.status": self._on_status,
            "droplet.status": self._on_droplet_status,
            "dea.locate": self._on_locate,
            "healthmanager.start": self._on_health_manager,
            "router.start": self._on_router,
        }
        for subject, handler in handlers.items():
            await self._client.subscribe(subject, cb=_checked(subject, handler))

    async def _on_start(self, document: dict[str, Any], _answer_to: str) -> None:
        if self._tell.leaving:
            raise VelociraptorError("This DEA is about to end.")
        message = parse_start(document)
        self._registry.check_room(message, disk_percent(self._folders.base))
        chosen = choose(
            self._config.runtimes, self._versions, message.runtime, message.runtime_info
        )
        if chosen.remark:
            log.info("%s", chosen.remark)
        self._lifecycle.start(message, chosen.executable)

    async def _on_stop(self, document: dict[str, Any], _answer_to: str) -> None:
        for instance in self._registry.matching(parse_filter(document)):
            self._lifecycle.stop(instance, "STOPPED")

    async def _on_update(self, document: dict[str, Any], _answer_to: str) -> None:
        wanted = [uri for uri in document.get("uris") or [] if isinstance(uri, str)]
        for instance in self._registry.matching(parse_filter(document)):
            dropped = [uri for uri in instance.uris if uri not in wanted]
            instance.uris = wanted
            if instance.state == "RUNNING":
                self._tell.unregister(instance, dropped)
                self._tell.register(instance)

    async def _on_discover(self, document: dict[str, Any], answer_to: str) -> None:
        limits = mapping(document.get("limits"))
        mem = limits.get("mem", 512)
        runtime = str(document.get("runtime") or "")
        possible = (
            not self._tell.leaving
            and not self._registry.full
            and isinstance(mem, int)
            and mem <= self._registry.available_memory
            and (not runtime or runtime in self._config.runtimes)
            and (not self._config.prod or bool(document.get("prod")))
        )
        if possible:
            await asyncio.sleep(self._registry.discover_delay(str(document.get("droplet"))))
            self._tell.say(answer_to, self._tell.hello())

    async def _on_find(self, document: dict[str, Any], answer_to: str) -> None:
        stats = bool(document.get("include_stats"))
        for instance in self._registry.matching(parse_filter(document)):
            self._tell.say(answer_to, self._tell.found(instance, stats=stats))

    async def _on_status(self, _document: dict[str, Any], answer_to: str) -> None:
        self._tell.say(answer_to, self._tell.status())

    async def _on_droplet_status(self, _document: dict[str, Any], answer_to: str) -> None:
        for instance in self._registry.alive:
            self._tell.say(answer_to, instance.stats())

    async def _on_locate(self, _document: dict[str, Any], _answer_to: str) -> None:
        self._tell.advertise()

    async def _on_health_manager(self, _document: dict[str, Any], _answer_to: str) -> None:
        self._tell.heartbeat()

    async def _on_router(self, _document: dict[str, Any], _answer_to: str) -> None:
        self._tell.register_all()


def _checked(subject: str, handler: Handler) -> Callable[[Msg], Awaitable[None]]:
    """What is wrong in a message is logged, as documented: nobody waits for an answer."""
    running: set[asyncio.Task[None]] = set()

    async def handle(document: dict[str, Any], answer_to: str) -> None:
        try:
            await handler(document, answer_to)
        except VelociraptorError as error:
            log.warning("%s is refused: %s", subject, error)

    async def received(message: Msg) -> None:
        try:
            document = decode_object(message.data or b"{}", subject)
        except VelociraptorError as error:
            log.warning("%s is refused: %s", subject, error)
            return
        # A task of its own, since some wait before they answer.
        task = asyncio.create_task(handle(document, message.reply))
        running.add(task)
        task.add_done_callback(running.discard)

    return received


async def _repeat(seconds: float, action: Callable[[], None]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(seconds)
            action()
