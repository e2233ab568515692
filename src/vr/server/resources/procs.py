"""Procs as hosts last pushed them, for documents of hosts and swarms; no host is ever asked.

To each proc object (docs/reference/host-messages.md) come `seen` (when its host last spoke,
ISO 8601 in UTC), `age` (seconds since then), `silent` (it should have spoken by now) and `swarm`
(the name that its swarm has now; null for strays and foreign programs).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from vr.events.procs import HostState, Proc
from vr.server.answers import NotFound
from vr.server.models import Host, Swarm
from vr.server.procs.survey import Survey, survey
from vr.server.resources.fields import Answering
from vr.server.resources.shapes import (
    FLAG,
    INTEGER,
    NUMBER,
    TEXT,
    ZONED_MOMENT,
    Schema,
    component,
    list_of,
    or_null,
    record,
)

_REMEMBERED = "survey"

HEARD: Schema = record({"seen": or_null(ZONED_MOMENT), "age": or_null(NUMBER), "silent": FLAG})
"""A host's last sign of life."""
_TEXTS = ("id", "host", "name", "jsname", "group", "description", "statename", "spawnerr")
_FILES = ("logfile", "stdout_logfile", "stderr_logfile")
_MOMENTS = ("now", "start_time", "stop_time", "restarting_since")
_PARTS = ("app_name", "version", "config_name", "hash", "proc_name")
PROC_NOW: Schema = record(
    {
        **dict.fromkeys((*_TEXTS, *_FILES, *_PARTS), TEXT),
        **dict.fromkeys(("state", "pid", "exitstatus", "port"), INTEGER),
        **dict.fromkeys(_MOMENTS, or_null(ZONED_MOMENT)),
        "restarts": or_null(INTEGER),
    }
)
"""A proc as its Supervisor tells of it."""
PROC: Schema = record({**PROC_NOW["properties"], **HEARD["properties"], "swarm": or_null(TEXT)})
"""A proc as its host last pushed it."""
PROCS: Schema = list_of(component("Proc"))


def of_host(host: Host, answering: Answering) -> list[Proc]:
    """All procs of a host, foreign ones included."""
    found = _survey(answering)
    state = found.states.get(host.name)
    return [_shown(proc, found) for proc in state.procs] if state else []


def of_swarm(swarm: Swarm, answering: Answering) -> list[Proc]:
    """A swarm's procs, also those on hosts that have left its squad."""
    found = _survey(answering)
    return [_shown(proc, found) for proc in found.owned.get(swarm.pk, ())]


def one(host: Host, name: str, answering: Answering) -> Proc:
    """A single proc; raises NotFound naming those of the host."""
    procs = of_host(host, answering)
    for proc in procs:
        if proc["name"] == name:
            return proc
    names = ", ".join(sorted(str(proc["name"]) for proc in procs)) or "none"
    raise NotFound(f"{host.name} has no proc {name!r}.", hint=f"Its procs: {names}.")


def heard_from(host: Host, answering: Answering) -> dict[str, Any]:
    """When a host last spoke, and whether it should have since: `{seen, age, silent}`."""
    state = _survey(answering).states.get(host.name) or HostState(host.name, None)
    return _heard(state, time.time())


def _shown(proc: Proc, found: Survey) -> Proc:
    """The proc with its host's last sign of life and its swarm."""
    heard = _heard(found.states[proc["host"]], time.time())
    return {**proc, **heard, "swarm": found.claims.swarm_name(proc["host"], proc["name"])}


def _survey(answering: Answering) -> Survey:
    if _REMEMBERED not in answering.remembered:
        answering.remembered[_REMEMBERED] = survey()
    found: Survey = answering.remembered[_REMEMBERED]
    return found


def _heard(state: HostState, now: float) -> dict[str, Any]:
    return {
        "seen": datetime.fromtimestamp(state.seen, tz=UTC).isoformat() if state.seen else None,
        "age": round(now - state.seen, 1) if state.seen else None,
        "silent": state.is_silent(now),
    }
