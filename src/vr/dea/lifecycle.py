"""The instances that live here: from a start message to the folder that is removed at last."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading

from vr.dea import snapshot
from vr.dea.announcements import Announcements
from vr.dea.config import DeaConfig
from vr.dea.droplets import DropletCache
from vr.dea.folders import Folders
from vr.dea.instance import Instance, Reason, Usage
from vr.dea.instance_run import Ended, InstanceRun, SharedByInstances
from vr.dea.messages import StartMessage
from vr.dea.ports import Ports
from vr.dea.registry import Registry

log = logging.getLogger("vcap.dea.agent")


class Lifecycle:
    """Changes the states of instances, and says so; used on the event loop only."""

    def __init__(
        self, config: DeaConfig, folders: Folders, registry: Registry, tell: Announcements
    ) -> None:
        self._config = config
        self._folders = folders
        self._registry = registry
        self._tell = tell
        self._shared = SharedByInstances(config, DropletCache(folders.droplets), Ports())
        self._runs: dict[str, InstanceRun] = {}
        self._ends: dict[str, asyncio.Task[None]] = {}

    async def clear(self) -> None:
        """End, remove and report what an earlier DEA left."""
        for part in snapshot.load(self._folders.snapshot):
            log.warning("Instance %s went with an earlier DEA", part.get("instance"))
            self._tell.vanished(part)
        await asyncio.to_thread(self._folders.clear_instances)
        self._save()

    def start(self, message: StartMessage, executable: str) -> None:
        instance = Instance(
            secrets.token_hex(16),
            message,
            self._registry.free_user(),
            self._config.host,
            uris=list(message.uris),
        )
        self._registry.instances[instance.id] = instance
        self._save()
        self._tell.advertise()
        log.info("Starting %s of droplet %s", instance.id, instance.droplet)
        self._live(instance, executable)

    def stop(self, instance: Instance, reason: Reason) -> None:
        """End it; of one that has crashed, forget the rest."""
        if instance.state == "CRASHED":
            self._forget(instance)
        if not instance.alive:
            return
        self._tell.unregister(instance, instance.uris)
        self._tell.exited(instance, reason)
        instance.become("STOPPED")
        self._save()
        self._runs[instance.id].stop()

    async def stop_all(self, reason: Reason) -> None:
        """Return when all have ended."""
        for instance in self._registry.alive:
            self.stop(instance, reason)
        await asyncio.gather(*self._ends.values())
        self._save()

    def _live(self, instance: Instance, executable: str) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Ended] = loop.create_future()

        def ready() -> None:
            loop.call_soon_threadsafe(self._is_ready, instance)

        def measured(used: Usage) -> None:
            instance.usage = used

        run = InstanceRun(
            instance,
            self._folders.instance(instance.id),
            executable,
            self._shared,
            ready=ready,
            measured=measured,
        )

        def live() -> None:
            try:
                result = run.run()
            except Exception as error:
                log.exception("Instance %s met a bug", instance.id)
                result = Ended(None, f"Internal error: {error!r}")
            loop.call_soon_threadsafe(ended.set_result, result)

        async def follow() -> None:
            self._has_ended(instance, await ended)
            del self._runs[instance.id], self._ends[instance.id]

        self._runs[instance.id] = run
        self._ends[instance.id] = asyncio.create_task(follow())
        threading.Thread(target=live, name=f"instance-{instance.id}", daemon=True).start()

    def _is_ready(self, instance: Instance) -> None:
        if instance.state != "STARTING":
            return
        instance.become("RUNNING")
        log.info("Instance %s is running on port %d", instance.id, instance.port)
        self._save()
        self._tell.heartbeat(instance)
        self._tell.register(instance)

    def _has_ended(self, instance: Instance, ended: Ended) -> None:
        """Its container has gone: by our will, or not."""
        if instance.state == "STOPPED":
            log.info("Instance %s has stopped", instance.id)
            self._forget(instance)
            self._tell.advertise()
            return
        log.warning("Instance %s crashed: %s", instance.id, ended.description)
        self._tell.unregister(instance, instance.uris)
        # Of an app that crashes again and again, the last time is worth a look.
        for other in self._registry.crashed(instance.droplet):
            self._forget(other)
        instance.become("CRASHED")
        self._tell.exited(instance, "CRASHED", ended.status, ended.description)
        self._save()
        self._tell.advertise()
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
