"""One configuration at work: its registrations and loops, until another takes its place."""

from __future__ import annotations

from vr.pilot.backend_loop import BackendLoop, Seen
from vr.pilot.config import ConsulSettings
from vr.pilot.discovery.connect import connect
from vr.pilot.errors import ConfigError
from vr.pilot.registrar import Registrar
from vr.pilot.service_loop import ServiceLoop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vr.pilot.config import Config, Record
    from vr.pilot.futures import Task
    from vr.pilot.resolver import Resolver
    from vr.pilot.telemetry import MetricsServer
    from vr.pilot.world import World

# How long deregistering may hold up the end of the application.
DEREGISTER_SECONDS = 3.0


class Generation:
    """Made in two steps: what can fail happens in `prepare`, `start` always succeeds."""

    def __init__(self, world: World, config: Config) -> None:
        self.config = config
        self._world = world
        self._loops: list[Task[Any]] = []
        self._coprocesses: list[Task[Any]] = []
        self._registrar: Registrar | None = None
        self._server: MetricsServer | None = None
        self._seen: dict[tuple[str, str, int], Seen] = {}

    @property
    def records(self) -> dict[str, Record]:
        return {service.record.id: service.record for service in self.config.registered}

    def prepare(self, resolver: Resolver, before: Generation | None) -> None:
        """Take over connections and the metrics' socket, or make new ones; raises ConfigError."""
        world, config = self._world, self.config
        if before is not None and before.config.discovery == config.discovery:
            self._registrar = before._registrar
        else:
            discovery = connect(config.discovery, world.loop, resolver, world.log, world.environ)
            self._registrar = Registrar(world.loop, discovery, world.log)
        if config.telemetry is None:
            return
        place = (config.telemetry.address, config.telemetry.port)
        if before is not None and before._server is not None and before._server.place == place:
            self._server = before._server
        else:
            self._server = _listen(world, *place)

    def start(self, before: Generation | None) -> None:
        """Begin to work, in the place of `before` if there was one."""
        if before is not None:
            before.stop_loops()
            before.stop_coprocesses()
            self._seen = before._seen
            for name in before.config.exported():
                self._world.environ.pop(name, None)
        self._world.environ.update(self.config.exported())
        self._hand_over(before)
        self._start_loops(at_once=before is not None)

    def _hand_over(self, before: Generation | None) -> None:
        registrar = self._registrar
        assert registrar is not None
        old = before.records if before is not None else {}
        wanted = {} if self._world.maintenance else self.records
        kept = before is not None and before._registrar is registrar
        for id, record in wanted.items():
            # Unchanged: stays as it is, without a gap.
            if kept and old.get(id) == record:
                registrar.allow(record)
            else:
                registrar.want(record)
        if before is None or before._registrar is None:
            return
        for id, old_record in old.items():
            if id not in self.records or not same_place(before.config, self.config):
                before._registrar.withdraw(old_record)
        if before._registrar is not registrar:
            self._world.loop.spawn(before._registrar.close_when_idle(30))
        if before._server is not None and before._server is not self._server:
            before._server.close()

    def _start_loops(self, at_once: bool) -> None:
        world, config, registrar = self._world, self.config, self._registrar
        assert registrar is not None
        runs: list[Any] = []
        if config.coprocesses or config.tasks:
            from vr.pilot.task_loop import run_coprocess, run_task

            self._coprocesses = [
                world.loop.spawn(run_coprocess(world, each)) for each in config.coprocesses
            ]
            runs += [run_task(world, task) for task in config.tasks]
        for service in config.registered:
            runs.append(ServiceLoop(world, registrar, service, at_once).run())
        for backend, seen in zip(config.backends, self._seen_of_backends()):
            runs.append(BackendLoop(world, registrar, backend, seen).run())
        if config.telemetry is not None and self._server is not None:
            from vr.pilot.telemetry import Sensors

            sensors = self._server.sensors = Sensors(world, config.telemetry.sensors)
            runs += sensors.runs()
        self._loops = [world.loop.spawn(run) for run in runs]

    def _seen_of_backends(self) -> list[Seen]:
        """What is known of each backend, by name, tag and, among equal ones, position."""
        known = self._seen
        found: dict[tuple[str, str, int], Seen] = {}
        for backend in self.config.backends:
            position = sum(key[:2] == (backend.name, backend.tag) for key in found)
            key = (backend.name, backend.tag, position)
            found[key] = known.get(key) or Seen()
        self._seen = found
        return list(found.values())

    def enter_maintenance(self) -> None:
        """Take every service out; what is under way can't bring one back."""
        assert self._registrar is not None
        for record in self.records.values():
            self._world.log.info(f"Marking for maintenance: {record.name}")
            self._registrar.withdraw(record)

    def leave_maintenance(self) -> None:
        """The next heartbeats register the services again."""
        assert self._registrar is not None
        for record in self.records.values():
            self._registrar.allow(record)

    def stop_loops(self) -> None:
        """Cancel all loops with the checks that they run."""
        for loop in self._loops:
            loop.cancel()
        self._loops = []

    def stop_coprocesses(self) -> None:
        for coprocess in self._coprocesses:
            coprocess.cancel()
        self._coprocesses = []

    async def leave(self) -> None:
        """Stop the loops and deregister everything, within a few seconds."""
        self.stop_loops()
        if self._registrar is None:
            return
        for record in self.records.values():
            self._world.log.info(f"Deregistering service: {record.name}")
        await self._registrar.withdraw_all(self.records.values(), DEREGISTER_SECONDS)
        self._registrar.close()


def same_place(one: Config, other: Config) -> bool:
    """Whether both register in the same place, be it with another token."""

    def place(config: Config) -> object:
        discovery = config.discovery
        if isinstance(discovery, ConsulSettings):
            return discovery._replace(token="")
        return discovery

    return place(one) == place(other)


def _listen(world: World, address: str, port: int) -> MetricsServer:
    from vr.pilot.telemetry import MetricsServer

    try:
        return MetricsServer(world, address, port)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            [f"telemetry.port: could not listen on {address} port {port}: {reason}"]
        ) from None
