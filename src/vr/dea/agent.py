"""The DEA on the bus: what it is told, what it tells (cloudfoundry.md, sections 12, 13, 15)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from vr import __version__
from vr.bus.documents import decode_object, mapping
from vr.bus.outbox import Outbox
from vr.dea import snapshot
from vr.dea.config import DeaConfig
from vr.dea.droplets import DropletCache
from vr.dea.folders import Folders
from vr.dea.instance import Instance, Reason, Usage
from vr.dea.life import Ended, Life, Surroundings, disk_percent
from vr.dea.messages import parse_filter, parse_start
from vr.dea.ports import Ports
from vr.dea.registry import Registry
from vr.dea.runtimes import choose
from vr.errors import VelociraptorError

log = logging.getLogger("vcap.dea.agent")

Handler = Callable[[dict[str, Any], str], Awaitable[None]]


class Agent:
    """Runs instances until it is stopped or evacuated; `versions` are those of its runtimes."""

    def __init__(
        self,
        config: DeaConfig,
        dea_id: str,
        folders: Folders,
        versions: dict[str, str],
        client: Client,
        outbox: Outbox,
    ) -> None:
        self.id = dea_id
        self._config = config
        self._folders = folders
        self._versions = versions
        self._client = client
        self._outbox = outbox
        self._registry = Registry(config)
        self._shared = Surroundings(config, DropletCache(folders.droplets), Ports())
        self._lives: dict[str, Life] = {}
        self._ends: dict[str, asyncio.Task[None]] = {}
        self._leaving: Reason | None = None
        self._left = asyncio.Event()

    # From its start to its end

    async def run(self) -> None:
        """Serve until `shut_down` or `evacuate` is done."""
        background = [asyncio.create_task(self._outbox.run(self._client))]
        for part in snapshot.load(self._folders.snapshot):
            log.warning("Instance %s went with an earlier DEA", part.get("instance"))
            self._publish("droplet.exited", snapshot.vanished(part))
        await asyncio.to_thread(self._folders.clear_instances)
        self._save()
        await self._subscribe()
        self._publish("dea.start", self._hello())
        self._advertise()
        every = self._config.intervals
        for seconds, action in (
            (every.advertise, self._advertise),
            (every.heartbeat, self._heartbeat),
            (every.register, self._register_all),
        ):
            background.append(asyncio.create_task(_repeat(seconds, action)))
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
        if self._leaving == "DEA_SHUTDOWN":
            return
        announced = self._leaving == "DEA_EVACUATION"
        self._leaving = "DEA_SHUTDOWN"
        log.info("Shutting down: stopping %d instance(s)", len(self._registry.alive))
        for instance in self._registry.alive:
            self._stop(instance, "DEA_SHUTDOWN", say=not announced)
        await asyncio.gather(*self._ends.values())
        self._save()
        self._left.set()

    async def evacuate(self) -> None:
        """Say that the instances are to be started elsewhere; go when there was time for it."""
        if self._leaving:
            return
        self._leaving = "DEA_EVACUATION"
        log.info("Evacuating %d instance(s)", len(self._registry.alive))
        for instance in self._registry.alive:
            self._announce_exit(instance, "DEA_EVACUATION", None, "")
        await asyncio.sleep(self._config.evacuation_delay)
        await self.shut_down()

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

    # What it is told

    async def _on_start(self, document: dict[str, Any], _answer_to: str) -> None:
        if self._leaving:
            raise VelociraptorError("This DEA is about to end.")
        message = parse_start(document)
        self._registry.check_room(message, disk_percent(self._folders.base))
        chosen = choose(
            self._config.runtimes, self._versions, message.runtime, message.runtime_info
        )
        if chosen.remark:
            log.info("%s", chosen.remark)
        instance = Instance(
            secrets.token_hex(16),
            message,
            self._registry.free_user(),
            self._config.host,
            uris=list(message.uris),
        )
        self._registry.instances[instance.id] = instance
        self._save()
        self._advertise()
        log.info("Starting %s of droplet %s", instance.id, instance.droplet)
        self._live(instance, chosen.executable)

    async def _on_stop(self, document: dict[str, Any], _answer_to: str) -> None:
        for instance in self._registry.matching(parse_filter(document)):
            if instance.alive:
                self._stop(instance, "STOPPED")
            elif instance.state == "CRASHED":
                self._forget(instance)

    async def _on_update(self, document: dict[str, Any], _answer_to: str) -> None:
        wanted = [uri for uri in document.get("uris") or [] if isinstance(uri, str)]
        for instance in self._registry.matching(parse_filter(document)):
            dropped = [uri for uri in instance.uris if uri not in wanted]
            instance.uris = wanted
            if instance.state == "RUNNING":
                self._unregister(instance, dropped)
                self._register(instance)

    async def _on_discover(self, document: dict[str, Any], answer_to: str) -> None:
        limits = mapping(document.get("limits"))
        mem = limits.get("mem", 512)
        runtime = str(document.get("runtime") or "")
        possible = (
            not self._leaving
            and not self._registry.full
            and isinstance(mem, int)
            and mem <= self._registry.available_memory
            and (not runtime or runtime in self._config.runtimes)
            and (not self._config.prod or bool(document.get("prod")))
        )
        if possible:
            await asyncio.sleep(self._registry.discover_delay(str(document.get("droplet"))))
            self._publish(answer_to, self._hello())

    async def _on_find(self, document: dict[str, Any], answer_to: str) -> None:
        for instance in self._registry.matching(parse_filter(document)):
            answer = instance.part() | {"dea": self.id}
            del answer["cc_partition"]
            answer["staged"] = str(self._folders.instance(instance.id).path)
            if instance.state == "RUNNING" and document.get("include_stats"):
                answer["stats"] = instance.stats()
            self._publish(answer_to, answer)

    async def _on_status(self, _document: dict[str, Any], answer_to: str) -> None:
        alive = self._registry.alive
        status = self._hello() | {
            "max_memory": self._config.max_memory,
            "reserved_memory": self._registry.reserved_memory,
            "used_memory": sum(instance.usage.memory for instance in alive) >> 20,
            "num_clients": len(alive),
        }
        if self._leaving:
            status["state"] = self._leaving
        self._publish(answer_to, status)

    async def _on_droplet_status(self, _document: dict[str, Any], answer_to: str) -> None:
        for instance in self._registry.alive:
            self._publish(answer_to, instance.stats())

    async def _on_locate(self, _document: dict[str, Any], _answer_to: str) -> None:
        self._advertise()

    async def _on_health_manager(self, _document: dict[str, Any], _answer_to: str) -> None:
        self._heartbeat()

    async def _on_router(self, _document: dict[str, Any], _answer_to: str) -> None:
        self._register_all()

    # Instances

    def _live(self, instance: Instance, executable: str) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Ended] = loop.create_future()

        def ready() -> None:
            loop.call_soon_threadsafe(self._is_ready, instance)

        def measured(used: Usage) -> None:
            instance.usage = used

        life = Life(
            instance,
            self._folders.instance(instance.id),
            executable,
            self._shared,
            ready=ready,
            measured=measured,
        )

        def live() -> None:
            try:
                result = life.run()
            except Exception as error:
                log.exception("Instance %s met a bug", instance.id)
                result = Ended(None, f"Internal error: {error!r}")
            loop.call_soon_threadsafe(ended.set_result, result)

        async def follow() -> None:
            result = await ended
            self._has_ended(instance, result)
            del self._lives[instance.id], self._ends[instance.id]

        self._lives[instance.id] = life
        self._ends[instance.id] = asyncio.create_task(follow())
        threading.Thread(target=live, name=f"instance-{instance.id}", daemon=True).start()

    def _is_ready(self, instance: Instance) -> None:
        if instance.state != "STARTING":
            return
        instance.become("RUNNING")
        log.info("Instance %s is running on port %d", instance.id, instance.port)
        self._save()
        self._publish("dea.heartbeat", self._heartbeat_message([instance]))
        self._register(instance)

    def _stop(self, instance: Instance, reason: Reason, *, say: bool = True) -> None:
        self._unregister(instance, instance.uris)
        if say:
            self._announce_exit(instance, reason, None, "")
        instance.become("STOPPED")
        self._save()
        self._lives[instance.id].stop()

    def _has_ended(self, instance: Instance, ended: Ended) -> None:
        """Its container has gone: by our will, or not."""
        if instance.state == "STOPPED":
            log.info("Instance %s has stopped", instance.id)
            self._forget(instance)
            self._advertise()
            return
        log.warning("Instance %s crashed: %s", instance.id, ended.description)
        self._unregister(instance, instance.uris)
        instance.become("CRASHED")
        self._announce_exit(instance, "CRASHED", ended.status, ended.description)
        self._save()
        self._advertise()
        lifetime = 0 if instance.message.flapping else self._config.crash_lifetime_secs
        asyncio.get_running_loop().call_later(lifetime, self._forget, instance)

    def _forget(self, instance: Instance) -> None:
        instance.become("DELETED")
        folder = self._folders.instance(instance.id)
        asyncio.get_running_loop().run_in_executor(None, folder.remove)
        self._registry.instances.pop(instance.id, None)
        self._save()

    def _save(self) -> None:
        snapshot.save(self._folders.snapshot, self._registry)

    # What it tells

    def _publish(self, subject: str, document: dict[str, Any]) -> None:
        if subject:
            self._outbox.send(subject, msgspec.json.encode(document))

    def _hello(self) -> dict[str, Any]:
        return {"id": self.id, "ip": self._config.host, "port": 0, "version": __version__}

    def _advertise(self) -> None:
        if self._leaving or self._registry.full:
            return
        counts: dict[str, int] = {}
        for instance in self._registry.alive:
            counts[instance.droplet] = counts.get(instance.droplet, 0) + 1
        message = {
            "id": self.id,
            "available_memory": self._registry.available_memory,
            "runtimes": sorted(self._config.runtimes),
            "prod": self._config.prod,
            "app_id_to_count": counts,
        }
        self._publish("dea.advertise", message)

    def _heartbeat(self) -> None:
        if instances := list(self._registry):
            self._publish("dea.heartbeat", self._heartbeat_message(instances))

    def _heartbeat_message(self, instances: list[Instance]) -> dict[str, Any]:
        parts = [instance.part() for instance in instances]
        return {"droplets": parts, "dea": self.id, "prod": self._config.prod}

    def _register_all(self) -> None:
        for instance in self._registry.alive:
            if instance.state == "RUNNING":
                self._register(instance)

    def _register(self, instance: Instance) -> None:
        if instance.uris:
            self._publish("router.register", instance.registration(self.id))

    def _unregister(self, instance: Instance, uris: list[str]) -> None:
        if uris and instance.port:
            self._publish("router.unregister", instance.registration(self.id, uris))

    def _announce_exit(
        self, instance: Instance, reason: Reason, status: int | None, description: str
    ) -> None:
        if not instance.exit_announced:
            instance.exit_announced = True
            message = instance.exit_message(reason, status, description)
            self._publish("droplet.exited", message)


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
