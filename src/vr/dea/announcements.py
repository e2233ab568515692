"""What a DEA tells: about itself, and about its instances (docs/reference/dea.md)."""

from __future__ import annotations

from typing import Any

import msgspec

from vr import __version__
from vr.bus.outbox import Outbox
from vr.bus.pages import Place
from vr.dea import snapshot
from vr.dea.config import DeaConfig
from vr.dea.instance import Instance, Reason
from vr.dea.registry import Registry


class Announcements:
    """Sends what is asked for, or due; `files` is where instances' files are served."""

    def __init__(
        self, dea_id: str, config: DeaConfig, registry: Registry, outbox: Outbox, files: Place
    ) -> None:
        self.id = dea_id
        self.leaving: Reason | None = None
        """Why nothing new is taken any more; then nothing is advertised either."""
        self._config = config
        self._registry = registry
        self._outbox = outbox
        self._files = files

    def say(self, subject: str, document: dict[str, Any]) -> None:
        """`subject` may be a reply subject, and empty: then nobody wants to know."""
        if subject:
            self._outbox.send(subject, msgspec.json.encode(document))

    # About itself

    def hello(self) -> dict[str, Any]:
        ip, port = self._config.host, self._files.port
        return {"id": self.id, "ip": ip, "port": port, "version": __version__}

    def status(self) -> dict[str, Any]:
        """`hello`, and memory in MB."""
        alive = self._registry.alive
        status = self.hello() | {
            "max_memory": self._config.max_memory,
            "reserved_memory": self._registry.reserved_memory,
            "used_memory": sum(instance.usage.memory for instance in alive) >> 20,
            "num_clients": len(alive),
        }
        return status | {"state": self.leaving} if self.leaving else status

    def advertise(self) -> None:
        if self.leaving or self._registry.full:
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
        self.say("dea.advertise", message)

    # About instances

    def heartbeat(self, *instances: Instance) -> None:
        """Of these instances, or of all; nothing if there are none."""
        if parts := [instance.part() for instance in instances or self._registry]:
            message = {"droplets": parts, "dea": self.id, "prod": self._config.prod}
            self.say("dea.heartbeat", message)

    def found(self, instance: Instance, *, stats: bool) -> dict[str, Any]:
        """Who it is, and where its files are."""
        answer = instance.part() | {
            "dea": self.id,
            "file_uri": f"http://{self._files.host}:{self._files.port}/droplets/",
            "credentials": list(self._files.credentials),
            "staged": f"/{instance.id}",
            **instance.extra_ports(),
        }
        del answer["cc_partition"]
        if stats and instance.state == "RUNNING":
            answer["stats"] = instance.stats(cores=True)
        return answer

    def register_all(self) -> None:
        for instance in self._registry.alive:
            if instance.state == "RUNNING":
                self.register(instance)

    def register(self, instance: Instance) -> None:
        if instance.uris:
            self.say("router.register", instance.registration(self.id))

    def unregister(self, instance: Instance, uris: list[str]) -> None:
        if uris and instance.port:
            self.say("router.unregister", instance.registration(self.id, uris))

    def exited(
        self,
        instance: Instance,
        reason: Reason,
        status: int | None = None,
        description: str = "",
    ) -> None:
        """Once for each instance, whatever comes later."""
        if not instance.exit_announced:
            instance.exit_announced = True
            self.say("droplet.exited", instance.exit_message(reason, status, description))

    def vanished(self, part: dict[str, Any]) -> None:
        """An instance, by its part in the last snapshot, went with an earlier DEA."""
        self.say("droplet.exited", snapshot.vanished(part))
