"""The state of procs as hosts push it (docs/reference/host-messages.md).

A host's publisher writes the whole list of its procs and a heartbeat; pages and the API read
that, never the host itself. A host that is silent keeps its last list and shows its age.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import redis

from vr.events import restarts
from vr.events.restarts import Restarts
from vr.specs.names import ProcName
from vr.text.durations import duration

CHANNEL = "proc_events"
REMOVED = "PROCESS_GROUP_REMOVED"
HEARTBEATS = "host_heartbeats"
KEEP_SECONDS = 600
# A publisher speaks at least every minute (TICK_60), so two missed ticks mean silence.
SILENT_AFTER_SECONDS = 130
RESTARTING = "RESTARTING"
"""The state of a proc that ends and is started again and again, whatever it is at the moment."""
_BETWEEN = frozenset({"STARTING", "RUNNING", "BACKOFF", "EXITED"})

Proc = dict[str, Any]


@dataclass(frozen=True)
class HostState:
    """What a host last said. `seen` is unix time, None if it never spoke."""

    host: str
    seen: float | None
    procs: list[Proc] = field(default_factory=list)

    def is_silent(self, now: float) -> bool:
        return self.seen is None or now - self.seen > SILENT_AFTER_SECONDS


def proc_object(host: str, info: Mapping[str, Any]) -> Proc:
    """The proc object of the API from Supervisor's process struct, which the host's publisher may
    have added restarts to."""
    name = str(info["name"])
    counted = restarts.unpacked(info)
    is_loop = counted is not None and _is_loop(counted, info)
    statename, description = info.get("statename", "UNKNOWN"), info.get("description", "")
    if counted is not None and is_loop:
        statename, description = RESTARTING, f"{told_loop(counted)}; {description}"
    return {
        "id": f"{host}-{name}",
        "host": host,
        "name": name,
        "jsname": name.replace(".", "dot"),
        "group": info.get("group", name),
        "description": description,
        "state": int(info.get("state", 1000)),
        "statename": statename,
        "pid": int(info.get("pid") or 0),
        "exitstatus": int(info.get("exitstatus") or 0),
        "spawnerr": info.get("spawnerr", ""),
        "logfile": info.get("logfile", ""),
        "stdout_logfile": info.get("stdout_logfile", ""),
        "stderr_logfile": info.get("stderr_logfile", ""),
        "now": _iso(info.get("now")),
        "start_time": _iso(info.get("start")),
        "stop_time": _iso(info.get("stop")),
        "restarts": counted.count if counted is not None else None,
        "restarting_since": _iso(counted.since) if counted is not None and is_loop else None,
        **name_fields(name),
    }


def told_loop(counted: Restarts) -> str:
    """Such as "restarted 5 times in 2 min 00 s"."""
    return f"restarted {counted.row} times in {duration(counted.last - counted.since)}"


def _is_loop(counted: Restarts, info: Mapping[str, Any]) -> bool:
    # One that was given up or stopped is that: it doesn't restart.
    return info.get("statename") in _BETWEEN and counted.is_loop(float(info.get("now") or 0))


def name_fields(name: str) -> dict[str, Any]:
    """What a proc's name says, as fields of the API.

    A name that isn't ours keeps its name as app and proc name, with UNKNOWN and port 0 for the
    rest, so that foreign programs still show.
    """
    parsed = ProcName.parse(name)
    return {
        "app_name": parsed.app if parsed else name,
        "version": parsed.version if parsed else "UNKNOWN",
        "config_name": parsed.config if parsed else "UNKNOWN",
        "hash": parsed.hash if parsed else "UNKNOWN",
        "proc_name": parsed.proc if parsed else name,
        "port": parsed.port if parsed else 0,
    }


def _iso(unix: Any) -> str | None:
    return datetime.fromtimestamp(int(unix), tz=UTC).isoformat() if unix else None


def _key(host: str) -> str:
    return f"host_procs:{host}"


class ProcBoard:
    """The last pushed state of every host, in Redis, with a channel for changes."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis = connection

    def replace(self, host: str, infos: Iterable[Mapping[str, Any]]) -> None:
        """Store the complete list of a host's procs, and its heartbeat, in one transaction."""
        fields: dict[Any, Any] = {str(info["name"]): json.dumps(dict(info)) for info in infos}
        with self._redis.pipeline() as pipe:
            pipe.delete(_key(host))
            if fields:
                pipe.hset(_key(host), mapping=fields)
                pipe.expire(_key(host), KEEP_SECONDS)
            pipe.hset(HEARTBEATS, host, str(time.time()))
            pipe.execute()

    def restarts(self, host: str) -> dict[str, Restarts]:
        """What the host last pushed of its procs' restarts, by their names."""
        infos: Mapping[Any, Any] = self._redis.hgetall(_key(host))
        found = {}
        for text in infos.values():
            info = json.loads(text)
            if (counted := restarts.unpacked(info)) is not None:
                found[str(info["name"])] = counted
        return found

    def announce(self, event: str, proc: Mapping[str, Any]) -> None:
        """Tell subscribers that a proc changed; `event` is Supervisor's event name."""
        self._redis.publish(CHANNEL, json.dumps({**proc, "event": event}))

    def read(self, hosts: Sequence[str]) -> dict[str, HostState]:
        """The last pushed state of each host named, also of those that never spoke."""
        if not hosts:
            return {}
        with self._redis.pipeline() as pipe:
            pipe.hmget(HEARTBEATS, list(hosts))
            for host in hosts:
                pipe.hgetall(_key(host))
            heartbeats, *hashes = pipe.execute()
        return {
            host: HostState(
                host=host,
                seen=float(beat) if beat else None,
                procs=sorted(
                    (proc_object(host, json.loads(text)) for text in fields.values()),
                    key=lambda proc: str(proc["name"]),
                ),
            )
            for host, beat, fields in zip(hosts, heartbeats, hashes, strict=True)
        }
