"""The documents of the API that the client uses, as they come (docs/reference/http-api.md)."""

from __future__ import annotations

from typing import Any, TypedDict

Document = dict[str, Any]

FOREIGN = "UNKNOWN"
"""The version of a program that is no proc of ours."""


class ProcDocument(TypedDict):
    """A proc as its host last pushed it; `silent` if the host should have spoken since.

    `swarm` is what its swarm is called now, None for a proc of none.
    """

    host: str
    name: str
    group: str
    statename: str
    description: str
    app_name: str
    version: str
    config_name: str
    proc_name: str
    port: int
    seen: str | None
    age: float | None
    silent: bool
    swarm: str | None


class SwarmDocument(TypedDict):
    id: int
    resource_uri: str
    name: str
    app_name: str
    config_name: str
    proc_name: str
    version: str
    size: int
    squad_name: str
    pool: str | None
    balancer: str | None
    env_yaml: str
    procs: list[ProcDocument]


class StepDocument(TypedDict):
    """`seconds` runs on while `status` is running."""

    kind: str
    status: str
    message: str
    started: str
    ended: str | None
    seconds: float


class DispatchDocument(TypedDict):
    trace_id: str
    name: str
    version: str
    size: int
    status: str
    error: str
    output: str
    created: str
    seconds: float | None
    user: str | None
    steps: list[StepDocument]


class BuildDocument(TypedDict):
    id: int
    resource_uri: str
    app: str
    tag: str
    status: str
    error: str
    start_time: str | None
    end_time: str | None


class EventDocument(TypedDict):
    id: int
    time: str
    title: str
    message: str
    tags: list[str]
