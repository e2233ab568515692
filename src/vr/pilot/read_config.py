"""A JSON document to a configuration: every problem at once, in the original's order.

The wording of the original is kept, with the path of the value before and what was found after.
"""

from __future__ import annotations

import re

from vr.pilot.config import Backend, Config, LogSettings, Record, Service
from vr.pilot.durations import parse_duration
from vr.pilot.errors import ConfigError
from vr.pilot.interfaces import DEFAULT, BadSpec, NoMatch, choose
from vr.pilot.log import FORMATS, LEVELS, OUTPUTS
from vr.pilot.read_discovery import read_discovery
from vr.pilot.shape import Problems, Section, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from vr.pilot.config import Coprocess, PeriodicTask
    from vr.pilot.interfaces import Address

_KEYS = (
    *("consul", "etcd", "preStart", "onStart", "preStop", "postStop", "stopTimeout", "logging"),
    *("services", "backends", "tasks", "coprocesses", "telemetry"),
)
_SERVICE_KEYS = (
    *("name", "port", "health", "interfaces", "poll", "ttl", "tags", "timeout", "consul"),
)
_BACKEND_KEYS = ("name", "poll", "onChange", "tag", "timeout")
DEFAULT_STOP_TIMEOUT = 5


class ContainerFacts:
    """What a configuration is read against: this container's name and addresses.

    `mask` hides secrets in messages.
    """

    def __init__(
        self, hostname: str, addresses: Sequence[Address], mask: Callable[[str], str]
    ) -> None:
        self.hostname = hostname
        self.addresses = addresses
        self.mask = mask


def read_config(document: Any, facts: ContainerFacts) -> Config:
    """The validated configuration; raises ConfigError."""
    problems = Problems(facts.mask)
    if not isinstance(document, dict):
        problems.add(
            "", f"Could not parse configuration: expected an object, got {shown(document)}"
        )
        raise ConfigError(problems.found)
    config = _Reader(Section(document, "", _KEYS, problems), facts).read()
    if problems.found or config is None:
        raise ConfigError(problems.found)
    return config


class _Reader:
    def __init__(self, top: Section, facts: ContainerFacts) -> None:
        self._top = top
        self._facts = facts
        self._warnings: list[str] = []

    def read(self) -> Config | None:
        """None, or what is wrong is replaced by anything, if there are problems."""
        top = self._top
        pre_start = self._pre_start()
        pre_stop, post_stop = top.command("preStop"), top.command("postStop")
        stop_timeout = top.integer("stopTimeout", DEFAULT_STOP_TIMEOUT)
        discovery = read_discovery(top)
        logging = self._logging()
        backends = tuple(map(self._backend, top.sections("backends", _BACKEND_KEYS, "Backend")))
        services = tuple(map(self._service, top.sections("services", _SERVICE_KEYS, "Service")))
        self._check_ids(services)
        tasks, coprocesses = self._jobs()
        telemetry = None
        if top.raw("telemetry") is not None:
            from vr.pilot.read_telemetry import KEYS, read_telemetry

            section = top.section("telemetry", KEYS)
            if section is not None:
                telemetry = read_telemetry(section, self.address, self._facts.hostname)
        if discovery is None:
            return None
        return Config(
            discovery=discovery,
            pre_start=pre_start,
            pre_stop=pre_stop,
            post_stop=post_stop,
            stop_timeout=stop_timeout or DEFAULT_STOP_TIMEOUT,
            logging=logging,
            services=services,
            backends=backends,
            tasks=tasks,
            coprocesses=coprocesses,
            telemetry=telemetry,
            warnings=tuple(self._warnings),
        )

    def _pre_start(self) -> tuple[str, ...] | None:
        old = self._top.command("onStart")
        if self._top.raw("onStart") is not None:
            self._warnings.append("DEPRECATION WARNING: use `preStart` instead of `onStart`")
        return self._top.command("preStart") if self._top.raw("preStart") is not None else old

    def _jobs(self) -> tuple[tuple[PeriodicTask, ...], tuple[Coprocess, ...]]:
        top = self._top
        if top.raw("tasks") is None and top.raw("coprocesses") is None:
            return (), ()
        from vr.pilot.read_jobs import COPROCESS_KEYS, TASK_KEYS, read_coprocess, read_task

        tasks = map(read_task, top.sections("tasks", TASK_KEYS, "Task"))
        coprocesses = map(read_coprocess, top.sections("coprocesses", COPROCESS_KEYS, "Coprocess"))
        return tuple(tasks), tuple(coprocesses)

    def _logging(self) -> LogSettings | None:
        section = self._top.section("logging", ("level", "format", "output"))
        if section is None:
            return None
        level = section.text("level").lower() or "info"
        level = "warning" if level == "warn" else level
        format = section.text("format") or "default"
        output = section.text("output") or "stdout"
        for key, value, what, known in (
            ("level", level, "log level", [name.upper() for name in reversed(LEVELS)]),
            ("format", format, "log format", FORMATS),
            ("output", output, "output type", tuple(OUTPUTS)),
        ):
            if value not in known and value.upper() not in known:
                section.problem(
                    key, f"Unknown {what} '{section.raw(key)}': expected one of {', '.join(known)}"
                )
                return None
        return LogSettings(level, format, output)

    def _backend(self, section: Section) -> Backend:
        name = section.text("name")
        if not name:
            section.problem("name", "backend must have a `name`")
        where = f" in backend {name}"
        on_change = section.command("onChange", where)
        if on_change is None and section.raw("onChange") in (None, "", []):
            section.problem("onChange", f"`onChange` is required{where}")
        poll = section.positive("poll", where)
        timeout = section.seconds("timeout", float(poll)) or 1.0
        return Backend(name, section.text("tag"), poll, on_change or (), timeout)

    def _service(self, section: Section) -> Service:
        name = section.text("name")
        if not name:
            section.problem("name", "service must have a `name`")
        elif not re.fullmatch(r"[a-z][a-zA-Z0-9\-]+", name, re.ASCII):
            self._warnings.append(
                f"DEPRECATION WARNING: service name {name!r} should match ^[a-z][a-zA-Z0-9\\-]+$"
            )
        where = f" in service {name}"
        poll, ttl = section.positive("poll", where), section.positive("ttl", where)
        port = section.positive("port", where, most=65535)
        health = section.command("health", where)
        override, after = self._consul_extras(section)
        record = Record(
            id=f"{name}-{self._facts.hostname}",
            name=name,
            address=self.address(section),
            port=port,
            ttl=ttl,
            tags=section.texts("tags"),
            enable_tag_override=override,
            deregister_after=after,
        )
        return Service(record, health, poll, section.seconds("timeout", float(poll)) or 1.0)

    def _consul_extras(self, section: Section) -> tuple[bool, str]:
        extras = section.section("consul", ("enableTagOverride", "deregisterCriticalServiceAfter"))
        if extras is None:
            return False, ""
        after = extras.text("deregisterCriticalServiceAfter")
        try:
            if after and parse_duration(after) <= 0:
                raise ValueError
        except ValueError:
            extras.problem(
                "deregisterCriticalServiceAfter",
                f'expected a duration such as "90m", got {shown(after)}',
            )
        return extras.flag("enableTagOverride"), after

    def address(self, section: Section) -> str:
        """The address that the section's `interfaces` choose."""
        specs = section.raw("interfaces")
        if isinstance(specs, str):
            specs = [specs] if specs else None
        if specs is not None and not (
            isinstance(specs, list) and all(isinstance(spec, str) for spec in specs)
        ):
            section.problem(
                "interfaces", f"interfaces must be a string or an array, got {shown(specs)}"
            )
            return ""
        try:
            return choose(specs or DEFAULT, self._facts.addresses)
        except (BadSpec, NoMatch) as error:
            section.problem("interfaces", str(error))
            return ""

    def _check_ids(self, services: Sequence[Service]) -> None:
        """Two services under one id would take each other's place for ever."""
        seen: set[str] = set()
        for index, service in enumerate(services):
            if service.record.name and service.record.id in seen:
                self._top.problems.add(
                    f"services[{index}].name",
                    f"`name` must be unique among services, got {shown(service.record.name)} twice",
                )
            seen.add(service.record.id)
