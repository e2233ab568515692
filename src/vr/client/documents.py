"""The documents of the API that the client uses, as they come (docs/reference/http-api.md)."""

from __future__ import annotations

from typing import Any, TypedDict

Document = dict[str, Any]

# A dispatch takes these steps once its version serves.
_WHILE_SERVING = frozenset({"settle", "drain", "retire"})
FOREIGN = "UNKNOWN"
"""The version of a program that is no proc of ours."""


class ProcDocument(TypedDict):
    """A proc as its host last pushed it; `silent` if the host should have spoken since.

    `swarm` is what its swarm is called now, None for a proc of none; `restarts` is None for a
    host that doesn't count them.
    """

    host: str
    name: str
    group: str
    statename: str
    description: str
    restarts: int | None
    app_name: str
    version: str
    config_name: str
    proc_name: str
    port: int
    seen: str | None
    age: float | None
    silent: bool
    swarm: str | None


class UnderWay(TypedDict):
    """What a swarm is being brought to."""

    trace_id: str
    version: str
    status: str


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
    under_way: UnderWay | None
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
    note: str
    error: str
    output: str
    created: str
    seconds: float | None
    user: str | None
    cancelled_by: str | None
    hold: bool
    preview: str | None
    held_until: str | None
    batch: int
    batched: int
    reverts: str | None
    steps: list[StepDocument]


def is_serving(dispatch: DispatchDocument) -> bool:
    """Does the version of the dispatch serve by now, be it settled or not? Pure."""
    # Servers of before know no batches.
    batch = dispatch.get("batch", 0)
    is_last_batch = not batch or dispatch["batched"] + batch >= dispatch["size"]
    if dispatch["error"] or not is_last_batch:
        return False
    return dispatch["status"] == "succeeded" or any(
        step["kind"] in _WHILE_SERVING and step["status"] != "failed" for step in dispatch["steps"]
    )


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
