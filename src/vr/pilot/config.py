"""What a configuration says, validated (docs/reference/pilot.md#configuration)."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Command = tuple[str, ...]


class ConsulSettings(NamedTuple):
    """`host` may be a name or an address."""

    secure: bool
    host: str
    port: int
    token: str = ""


class EtcdSettings(NamedTuple):
    """`endpoints` are (secure, host, port); `api` is 2 or 3."""

    endpoints: tuple[tuple[bool, str, int], ...]
    prefix: str
    api: int


class LogSettings(NamedTuple):
    level: str = "info"
    format: str = "default"
    output: str = "stdout"


class Record(NamedTuple):
    """What is registered of a service. `ttl` is in seconds."""

    id: str
    name: str
    address: str
    port: int
    ttl: int
    tags: tuple[str, ...] = ()
    # Consul only; the latter is a Go duration.
    enable_tag_override: bool = False
    deregister_after: str = ""


class Service(NamedTuple):
    """Times are in seconds. Without `health` it is always healthy."""

    record: Record
    health: Command | None
    poll: int
    timeout: float


class Backend(NamedTuple):
    name: str
    tag: str
    poll: int
    on_change: Command
    timeout: float


class PeriodicTask(NamedTuple):
    """`frequency` and `timeout` in seconds."""

    name: str
    command: Command
    frequency: float
    timeout: float


class Coprocess(NamedTuple):
    """`restarts`: how often after the first run; None is without limit."""

    name: str
    command: Command
    restarts: int | None


class Sensor(NamedTuple):
    """`metric` is its full name; `kind` is counter, gauge, histogram or summary."""

    metric: str
    help: str
    kind: str
    check: Command
    poll: int
    timeout: float


class Telemetry(NamedTuple):
    """Where metrics are served; `service` is how that is registered."""

    address: str
    port: int
    service: Service
    sensors: tuple[Sensor, ...]


class Config(NamedTuple):
    discovery: Union[ConsulSettings, EtcdSettings]
    pre_start: Command | None
    pre_stop: Command | None
    post_stop: Command | None
    # Seconds; negative: SIGKILL at once.
    stop_timeout: int
    # None: as before.
    logging: LogSettings | None
    services: tuple[Service, ...]
    backends: tuple[Backend, ...]
    tasks: tuple[PeriodicTask, ...]
    coprocesses: tuple[Coprocess, ...]
    telemetry: Telemetry | None
    warnings: tuple[str, ...]

    @property
    def registered(self) -> tuple[Service, ...]:
        """All services to register, telemetry's included."""
        return self.services + ((self.telemetry.service,) if self.telemetry else ())

    def exported(self) -> dict[str, str]:
        """The variables that tell hooks and the application the advertised addresses."""
        return {
            f"CONTAINERPILOT_{service.record.name.upper().replace('-', '_')}_IP": (
                service.record.address
            )
            for service in self.registered
        }
