"""stager.yml (docs/reference/staging.md#stageryml)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from vr.bus.addresses import nats_uri_problem
from vr.bus.pages import WebSettings
from vr.bus.service_log import LogSettings, level_problem
from vr.runner.images import ImageRef
from vr.specs.documents import to_struct

DEVELOPMENT = {
    "logging": {"level": "debug2"},
    "nats_uri": "nats://127.0.0.1:4222",
    "pid_filename": "/var/tmp/vstager.pid",
    "queues": ["staging"],
}
"""What holds without any configuration file."""


class Dirs(msgspec.Struct, frozen=True):
    """`tmp`: where tasks work; what dead stagers left in it is removed, nothing else."""

    tmp: str = "/var/tmp/vstager"


class Users(msgspec.Struct, frozen=True):
    """The throw-away users of `secure: true`: `count` user ids from `first` on."""

    first: int = 23001
    count: int = 200


class StagerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The documented keys, and ours below them. Times in seconds, sizes in MB."""

    logging: LogSettings
    pid_filename: str
    nats_uri: str
    max_staging_duration: int = 120
    max_active_tasks: int = 10
    queues: tuple[str, ...] = ("staging",)
    secure: bool = False
    dirs: Dirs = Dirs()
    index: int | None = None
    local_route: str = ""
    """An address on the network that `host` is to be found on."""

    max_queued_tasks: int = 100
    """Requests that may wait in memory while every stager is full."""
    max_app_size: int = 512
    """Of the zipped app; unpacked it may be eight times as large."""
    staging_memory: int = 1024
    image: ImageRef | None = None
    """The OS image to stage in; the host's own system without."""
    users: Users = Users()
    host: str = ""
    """This machine's address; without, the one towards `local_route`."""
    status: WebSettings = WebSettings()
    """The pages /healthz and /varz."""
    plugins: dict[str, dict[str, Any]] = {}
    """Settings of framework plugins, by framework."""


def parse_config(mapping: Mapping[str, Any], where: str) -> StagerConfig:
    """The configuration in `mapping`; raises InvalidInput with all its problems."""
    return to_struct(StagerConfig, mapping, where, extra=_problems(mapping))


def _problems(mapping: Mapping[str, Any]) -> list[str]:
    problems = []
    for key in ("max_staging_duration", "max_active_tasks", "max_app_size", "staging_memory"):
        value = mapping.get(key, 1)
        if isinstance(value, int) and value < 1:
            problems.append(f"{key}: must be at least 1, but is {value}")
    waiting = mapping.get("max_queued_tasks", 0)
    if isinstance(waiting, int) and waiting < 0:
        problems.append(f"max_queued_tasks: must not be negative, but is {waiting}")
    uri = mapping.get("nats_uri")
    if isinstance(uri, str) and (problem := nats_uri_problem(uri)):
        problems.append(f"nats_uri: {problem}")
    settings = mapping.get("logging")
    level = settings.get("level", "info") if isinstance(settings, dict) else "info"
    if isinstance(level, str) and (problem := level_problem(level)):
        problems.append(f"logging.level: {problem}")
    queues = mapping.get("queues")
    if isinstance(queues, list):
        problems += [f"queues: {each!r} is no NATS subject" for each in queues if _no_subject(each)]
        if not queues:
            problems.append("queues: must name at least one, such as staging")
    users = mapping.get("users")
    if isinstance(users, dict) and isinstance(first := users.get("first"), int) and first < 1000:
        problems.append("users.first: must be at least 1000: lower ids belong to the system")
    return problems


def _no_subject(name: Any) -> bool:
    return isinstance(name, str) and (
        not name or not name.isprintable() or any(character in name for character in " *>\t")
    )
