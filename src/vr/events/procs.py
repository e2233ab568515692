"""The state of procs as hosts push it (docs/reference/host-messages.md).

A host's publisher writes the whole list of its procs and a heartbeat; pages and the API read
that, never the host itself. A host that is silent keeps its last list and shows its age.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import redis

from vr.events import restarts
from vr.events.disk import HostDisk, over_disk_of
from vr.events.restarts import Restarts
from vr.specs.names import ProcName
from vr.text.durations import duration

CHANNEL = "proc_events"
REMOVED = "PROCESS_GROUP_REMOVED"
HEARTBEATS = "host_heartbeats"
WRITTEN = "host_written"
PACES = "host_paces"
DISKS = "host_disks"
# What a silent host last said is shown for this long.
KEEP_SECONDS = 7 * 86400
# A list in which only clocks went on is written this often, not at every beat.
REWRITE_SECONDS = 60
# A publisher that doesn't tell its pace speaks at least every minute (TICK_60).
_SLOWEST_PACE = 60.0
RESTARTING = "RESTARTING"
"""The state of a proc that ends and is started again and again, whatever it is at the moment."""
OVER_DISK = "OVER_DISK"
"""The state of a proc that its host stopped, as it wrote more than its limit."""
_BETWEEN = frozenset({"STARTING", "RUNNING", "BACKOFF", "EXITED"})
_STOPPED = frozenset({"STOPPING", "STOPPED"})

Proc = dict[str, Any]


@dataclass(frozen=True)
class HostState:
    """What a host last said. `seen` is unix time, None if it never spoke; `pace` is how often it
    speaks at least, in seconds; `disk` is None if it doesn't tell."""

    host: str
    seen: float | None
    procs: list[Proc] = field(default_factory=list)
    pace: float = _SLOWEST_PACE
    disk: HostDisk | None = None

    @property
    def silent_after(self) -> float:
        """Seconds without a word that are silence: two missed beats, and some more."""
        return 2 * self.pace + min(self.pace / 2, 10)

    def is_silent(self, now: float) -> bool:
        return self.seen is None or now - self.seen > self.silent_after


def proc_object(host: str, info: Mapping[str, Any]) -> Proc:
    """The proc object of the API from Supervisor's process struct, which the host's publisher may
    have added restarts to."""
    name = str(info["name"])
    counted = restarts.unpacked(info)
    is_loop = counted is not None and _is_loop(counted, info)
    statename, description = info.get("statename", "UNKNOWN"), info.get("description", "")
    if counted is not None and is_loop:
        statename, description = RESTARTING, f"{told_loop(counted)}; {description}"
    over = over_disk_of(info)
    if over is not None and statename in _STOPPED:
        statename, description = OVER_DISK, f"stopped by its host: {over}"
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
    """The last pushed state of every host, in Redis, with a channel for changes.

    It remembers the lists that it has read, and fetches those only that were written since.
    """

    def __init__(self, connection: redis.Redis) -> None:
        self._redis = connection
        self._remembered: dict[str, tuple[float, list[Proc]]] = {}

    def replace(self, host: str, infos: Iterable[Mapping[str, Any]]) -> None:
        """Store the complete list of a host's procs, and its heartbeat, in one transaction."""
        fields: dict[Any, Any] = {str(info["name"]): json.dumps(dict(info)) for info in infos}
        now = str(self._now())
        with self._redis.pipeline() as pipe:
            pipe.delete(_key(host))
            if fields:
                pipe.hset(_key(host), mapping=fields)
                pipe.expire(_key(host), KEEP_SECONDS)
            pipe.hset(HEARTBEATS, host, now)
            pipe.hset(WRITTEN, host, now)
            pipe.execute()

    def beat(self, host: str) -> float | None:
        """Store a host's heartbeat alone, as its list is as it was; returns when that was written
        (unix time), None if Redis has lost it."""
        with self._redis.pipeline() as pipe:
            pipe.hset(HEARTBEATS, host, str(self._now()))
            pipe.hget(WRITTEN, host)
            _, written = pipe.execute()
        return float(written) if written else None

    def keep_pace(self, host: str, seconds: float) -> None:
        """Tell how often the host speaks at least."""
        self._redis.hset(PACES, host, str(seconds))

    def keep_disk(self, host: str, disk: HostDisk) -> None:
        """Tell how much the host's procs may still write."""
        # A Redis of an older server doesn't let its hosts; all else must be pushed all the same.
        with suppress(redis.exceptions.NoPermissionError):
            self._redis.hset(DISKS, host, f"{disk.free} {disk.total}")

    def _now(self) -> float:
        """Unix time by Redis' clock, as hosts' own may differ by more than a beat."""
        seconds, micros = self._redis.time()
        return float(seconds + micros / 1e6)

    def pushed(self, host: str) -> dict[str, Mapping[str, Any]]:
        """What the host last pushed of its procs, by their names."""
        texts: Mapping[Any, Any] = self._redis.hgetall(_key(host))
        infos = [json.loads(text) for text in texts.values()]
        return {str(info["name"]): info for info in infos}

    def announce(self, event: str, proc: Mapping[str, Any]) -> None:
        """Tell subscribers that a proc changed; `event` is Supervisor's event name."""
        self._redis.publish(CHANNEL, json.dumps({**proc, "event": event}))

    def read(self, hosts: Sequence[str]) -> dict[str, HostState]:
        """The last pushed state of each host named, also of those that never spoke.

        The procs are shared with whoever else reads them: nobody may change them.
        """
        if not hosts:
            return {}
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(HEARTBEATS, list(hosts))
            pipe.hmget(WRITTEN, list(hosts))
            pipe.hmget(PACES, list(hosts))
            pipe.hmget(DISKS, list(hosts))
            *times, disks = pipe.execute()
        beats, writes, paces = ([float(one) if one else None for one in row] for row in times)
        told = zip(hosts, beats, paces, disks, strict=True)
        lists = self._lists(dict(zip(hosts, map(_revision, beats, writes), strict=True)))
        return {
            host: HostState(host, seen, lists[host], pace or _SLOWEST_PACE, _read_disk(disk))
            for host, seen, pace, disk in told
        }

    def _lists(self, revisions: Mapping[str, float | None]) -> dict[str, list[Proc]]:
        """The procs of each host; only what was written since it was last read is fetched."""
        known = {host: self._remembered.get(host) for host in revisions}
        found = {
            host: one[1]
            for host, one in known.items()
            if one is not None and one[0] == revisions[host]
        }
        new = [host for host in revisions if host not in found]
        if not new:
            return found
        with self._redis.pipeline(transaction=False) as pipe:
            for host in new:
                pipe.hvals(_key(host))
            texts = pipe.execute()
        for host, infos in zip(new, texts, strict=True):
            procs = [proc_object(host, json.loads(info)) for info in infos]
            procs.sort(key=lambda proc: str(proc["name"]))
            found[host] = procs
            # The list may be newer than the revision, which leads to reading it once more.
            if (revision := revisions[host]) is not None:
                self._remembered[host] = (revision, procs)
        return found


def _read_disk(text: Any) -> HostDisk | None:
    if not text:
        return None
    free, total = text.split()
    return HostDisk(int(free), int(total))


def _revision(beat: float | None, written: float | None) -> float | None:
    """When a host's list was written, from its last heartbeat and what it says of that.

    A publisher that doesn't say it writes at each beat.
    """
    if beat is None or written is None or beat - written > REWRITE_SECONDS * 1.5:
        return beat
    return written
