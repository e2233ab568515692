"""What a DEA is told: start messages and filters, checked (docs/reference/dea.md)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from vr.errors import InvalidInput
from vr.specs.documents import to_struct

WHERE = "start message"

_SHA1 = re.compile(r"[0-9a-f]{40}")
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)


class Limits(msgspec.Struct, frozen=True):
    """`mem` and `disk` in MB, `fds` a count."""

    mem: int = 512
    disk: int = 256
    fds: int = 1024


class StartMessage(msgspec.Struct, frozen=True, kw_only=True):
    droplet: str | int
    sha1: str
    runtime: str = ""
    executableUri: str | None = None
    executableFile: str | None = None
    index: int = 0
    name: str = "app"
    version: str | int = ""
    framework: str = ""
    uris: list[str] = []
    runtime_info: dict[str, Any] = {}
    services: list[dict[str, Any]] = []
    limits: Limits = Limits()
    env: list[str] = []
    users: list[str] = []
    prod: bool = False
    debug: str | None = None
    """The mode to debug in, which names variables of the runtime; a port is given, too."""
    console: bool = False
    flapping: bool = False
    cc_partition: str = "default"
    health_check_timeout: float | None = None


def parse_start(document: Mapping[str, Any]) -> StartMessage:
    """The start message in `document`; raises InvalidInput with all its problems."""
    problems = []
    sha1 = document.get("sha1")
    if isinstance(sha1, str) and not _SHA1.fullmatch(sha1):
        problems.append("sha1: must be 40 hexadecimal digits, in lower case")
    if not document.get("executableUri") and not document.get("executableFile"):
        problems.append("executableUri: is missing, and executableFile too")
    limits = document.get("limits")
    for key in ("mem", "disk", "fds"):
        value = limits.get(key, 1) if isinstance(limits, dict) else 1
        if isinstance(value, int) and value < 1:
            problems.append(f"limits.{key}: must be at least 1, but is {value}")
    env = document.get("env")
    for each in env if isinstance(env, list) else []:
        if not isinstance(each, str) or not _ENV.fullmatch(each) or "\0" in each:
            name = str(each).partition("=")[0][:40]
            problems.append(f"env: {name!r} is not of the form NAME=VALUE")
    return to_struct(StartMessage, document, WHERE, extra=problems)


class Filter(msgspec.Struct, frozen=True):
    """Which instances are meant: all that fit every part that is given."""

    droplet: str
    version: str | None = None
    instances: frozenset[str] | None = None
    indices: frozenset[int] | None = None
    states: frozenset[str] | None = None

    def matches(self, droplet: str, version: str, instance: str, index: int, state: str) -> bool:
        return (
            droplet == self.droplet
            and (self.version is None or version == self.version)
            and (self.instances is None or instance in self.instances)
            and (self.indices is None or index in self.indices)
            and (self.states is None or state in self.states)
        )


def parse_filter(document: Mapping[str, Any]) -> Filter:
    """The filter in `document`; raises InvalidInput without a droplet, or for parts that are no
    lists: a misread filter must not stop more than was meant."""
    if document.get("droplet") in (None, ""):
        raise InvalidInput("filter", ["droplet: is missing"])
    ids = document.get("instances", document.get("instance_ids"))
    problems = [
        f"{name}: must be a list"
        for name, value in (
            ("instances", ids),
            ("indices", document.get("indices")),
            ("states", document.get("states")),
        )
        if value is not None and not isinstance(value, list)
    ]
    if problems:
        raise InvalidInput("filter", problems)
    version = document.get("version")
    return Filter(
        str(document["droplet"]),
        None if version is None else str(version),
        _frozen(ids),
        _frozen(document.get("indices")),
        _frozen(document.get("states")),
    )


def _frozen(values: Collection[Any] | None) -> frozenset[Any] | None:
    return None if values is None else frozenset(values)
