"""A staging request: what may be in it, and everything that is wrong with it at once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from vr.bus.addresses import http_uri_problem
from vr.bus.documents import decode_object, mapping
from vr.errors import InvalidInput
from vr.runner.images import ImageRef
from vr.specs.documents import to_struct

WHERE = "staging request"

DEFAULT_MEMORY_MB = 512

_TASK_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class FrameworkInfo(msgspec.Struct, frozen=True):
    name: str
    runtimes: list[dict[str, Any]] = []
    detection: list[dict[str, str | bool]] = []

    @property
    def default_runtime(self) -> str:
        """The runtime that is marked as the default, if one is."""
        for runtime in self.runtimes:
            for name, about in runtime.items():
                if mapping(about).get("default") is True:
                    return name
        return ""


class RuntimeInfo(msgspec.Struct, frozen=True):
    name: str = ""
    executable: str = ""
    version: str = ""


class Resources(msgspec.Struct, frozen=True):
    """`memory` and `disk` in MB, `fds` a count."""

    memory: int = DEFAULT_MEMORY_MB
    disk: int = 256
    fds: int = 1024


class Properties(msgspec.Struct, frozen=True):
    """What a plugin gets as `environment` (docs/reference/staging.md#request)."""

    framework_info: FrameworkInfo
    runtime_info: RuntimeInfo = RuntimeInfo()
    resources: Resources = Resources()
    services: list[dict[str, Any]] = []
    environment: list[str] = []
    meta: dict[str, Any] = {}
    buildpack: str | None = None
    """For the framework `buildpack`: the address of the one to use."""
    image: ImageRef | None = None
    """The OS image to stage in, by http or https; the stager's own without."""
    build: dict[str, Any] = {}
    """For the framework `vbuild`: what build.yaml holds, and the `revision` of the checkout."""


class StagingRequest(msgspec.Struct, frozen=True):
    task_id: str
    app_id: str
    download_uri: str
    upload_uri: str
    properties: Properties


def new_task_id() -> str:
    """32 hexadecimal digits."""
    return secrets.token_hex(16)


def task_id_of(document: Mapping[str, Any]) -> str:
    """The id that the requester chose, so that it can follow the task, or a new one."""
    chosen = document.get("task_id")
    valid = isinstance(chosen, str) and _TASK_ID.fullmatch(chosen)
    return str(chosen) if valid else new_task_id()


def decode(data: bytes) -> dict[str, Any]:
    """The JSON object of a request; raises InvalidInput."""
    return decode_object(data, WHERE)


def parse_request(document: Mapping[str, Any], task_id: str) -> StagingRequest:
    """The request in `document`; raises InvalidInput with every problem."""
    problems: list[str] = []
    app_id = document.get("app_id")
    if isinstance(app_id, bool) or not isinstance(app_id, str | int) or app_id == "":
        problems.append("app_id: is missing" if app_id is None else "app_id: must be a name")
    for key in ("download_uri", "upload_uri"):
        if problem := _uri_problem(document.get(key)):
            problems.append(f"{key}: {problem}")
    if (chosen := document.get("task_id")) is not None and chosen != task_id:
        problems.append("task_id: must be 32 hexadecimal digits, in lower case")
    properties = None
    if not isinstance(document.get("properties"), dict):
        missing = document.get("properties") is None
        problems.append(f"properties: {'is missing' if missing else 'must be an object'}")
    else:
        try:
            properties = parse_properties(document["properties"], WHERE, prefix="properties.")
        except InvalidInput as error:
            problems += error.problems
    if problems or properties is None:
        raise InvalidInput(WHERE, problems)
    return StagingRequest(
        task_id, str(app_id), document["download_uri"], document["upload_uri"], properties
    )


def parse_properties(values: Mapping[str, Any], where: str, *, prefix: str = "") -> Properties:
    """The properties; raises InvalidInput with every problem, each key after `prefix`."""
    problems: list[str] = []
    parts: dict[str, type[msgspec.Struct]] = {
        "framework_info": FrameworkInfo,
        "runtime_info": RuntimeInfo,
        "resources": Resources,
    }
    for key, cls in parts.items():
        value = values.get(key)
        if not isinstance(value, dict):
            continue
        try:
            to_struct(cls, value, where, extra=_part_problems(key, value))
        except InvalidInput as error:
            problems += [f"{key}.{problem}" for problem in error.problems]
    # A part with problems of its own is not complained about a second time as a whole.
    wrong = {problem.split(".")[0] for problem in problems}
    kept = {key: value for key, value in values.items() if key not in wrong}
    placeholder = {"framework_info": {"name": "x"}} if "framework_info" in wrong else {}
    image = values.get("image")
    if isinstance(image, dict) and (problem := _uri_problem(image.get("url"))):
        # Anything else would be read from the stager's own disk, on behalf of whoever asks.
        problems.append(f"image.url: {problem}")
    found = None
    try:
        found = to_struct(Properties, placeholder | kept, where)
    except InvalidInput as error:
        problems += error.problems
    if problems or found is None:
        raise InvalidInput(where, [f"{prefix}{problem}" for problem in problems])
    return found


def _part_problems(key: str, value: Mapping[str, Any]) -> list[str]:
    problems = []
    if key == "framework_info" and isinstance(name := value.get("name"), str):
        if not _NAME.fullmatch(name):
            problems.append(f"name: {name[:40]!r} is no framework's name")
        problems += _detection_problems(value.get("detection"))
    if key == "resources":
        for name in ("memory", "disk", "fds"):
            amount = value.get(name, 1)
            if isinstance(amount, int) and amount < 1:
                problems.append(f"{name}: must be at least 1, but is {amount}")
    return problems


def _detection_problems(rules: Any) -> list[str]:
    problems = []
    for rule in rules if isinstance(rules, list) else []:
        for glob, expected in mapping(rule).items():
            if isinstance(expected, str):
                try:
                    re.compile(expected)
                except (re.error, OverflowError, RecursionError) as error:
                    problems.append(f"detection: {glob}: {expected!r} is no pattern: {error}")
    return problems


def _uri_problem(uri: Any) -> str | None:
    if uri is None:
        return "is missing"
    if not isinstance(uri, str):
        return "must be a string"
    return http_uri_problem(uri)
