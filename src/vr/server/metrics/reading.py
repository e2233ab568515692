"""What is measured, read from database and Redis: no host is ever asked."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import redis
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from vr.server.jobs import leases
from vr.server.metrics.tally import Durations, Ended, Tally
from vr.server.models import (
    Build,
    BuildStatus,
    Dispatch,
    DispatchStatus,
    HostJob,
    Notice,
    NoticeStatus,
    ProcHealth,
    Swarm,
    UptestJob,
)
from vr.server.models.dispatch import ENDED, OPEN
from vr.server.models.host_job import OPEN as OPEN_JOBS
from vr.server.procs.survey import Survey, survey

_DISPATCH_BOUNDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
_BUILD_BOUNDS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
UNKNOWN = "unknown"
"""The state of procs on hosts that are silent."""


@dataclass(frozen=True)
class Queue:
    """Work that waits for a worker, and since when the oldest of it does (seconds)."""

    waiting: int
    age: float


@dataclass(frozen=True)
class Procs:
    """What hosts last said. `states`: of a swarm's procs, by the swarm's name."""

    states: Mapping[str, Counter[str]]
    restarts: Mapping[str, int]
    strays: int
    silences: Mapping[str, float | None]
    silent: int


@dataclass(frozen=True)
class Measured:
    """All of it; `procs` is None while Redis does not answer."""

    procs: Procs | None
    wanted: Mapping[str, int]
    dispatches: Mapping[str, Durations]
    builds: Mapping[str, Durations]
    queues: Mapping[str, Queue]
    under_way: Mapping[str, int]
    failing: Mapping[str, int] = field(default_factory=dict)
    unrouted: Mapping[str, int] = field(default_factory=dict)


def read() -> Measured:
    """As things are now. Raises django.db.DatabaseError if the database does not answer."""
    names = _swarm_names()
    try:
        procs = procs_of(survey(), names, time.time())
    except redis.RedisError:
        procs = None
    sizes = Swarm.objects.order_by().values_list("pk", "size")
    return Measured(
        procs=procs,
        wanted={names[pk]: size for pk, size in sizes if pk in names},
        dispatches=_dispatches.now(),
        builds=_builds.now(),
        queues=_queues(),
        under_way=_under_way(),
        failing=_procs_by_swarm(names, test_failures__gt=0),
        unrouted=_procs_by_swarm(names, is_unrouted=True),
    )


def procs_of(found: Survey, names: Mapping[int, str], now: float) -> Procs:
    """What a survey of all procs comes to, for swarms called `names` by their ids. Pure."""
    silent = {host for host, state in found.states.items() if state.is_silent(now)}
    states: dict[str, Counter[str]] = defaultdict(Counter)
    restarts: dict[str, int] = {}
    for pk, procs in found.owned.items():
        if (name := names.get(pk)) is None:
            continue
        for proc in procs:
            is_known = proc["host"] not in silent
            states[name][str(proc["statename"]).lower() if is_known else UNKNOWN] += 1
        restarts[name] = restarts.get(name, 0) + sum(proc["restarts"] or 0 for proc in procs)
    return Procs(
        states=states,
        restarts=restarts,
        strays=len(found.strays),
        silences={
            host: None if state.seen is None else max(0.0, now - state.seen)
            for host, state in found.states.items()
        },
        silent=len(silent),
    )


def _swarm_names() -> dict[int, str]:
    """`squad/app-config-proc`: names alone may come in several squads."""
    rows = Swarm.objects.order_by().values_list(
        "pk", "squad__name", "app__name", "config_name", "proc_name"
    )
    return {pk: f"{squad}/{app}-{config}-{proc}" for pk, squad, app, config, proc in rows}


def _procs_by_swarm(names: Mapping[int, str], **search: Any) -> dict[str, int]:
    rows = ProcHealth.objects.filter(port_lease__swarm__isnull=False, **search)
    counted = rows.values_list("port_lease__swarm_id").annotate(Count("pk")).order_by()
    return {names[pk]: count for pk, count in counted if pk in names}


def _ended_dispatches(after: datetime, until: datetime) -> Iterable[Ended]:
    rows = Dispatch.objects.filter(status__in=ENDED, ended__gt=after, ended__lte=until)
    return rows.order_by().values_list("started", "ended", "status").iterator()  # type: ignore[return-value]


def _ended_builds(after: datetime, until: datetime) -> Iterable[Ended]:
    rows = Build.objects.filter(end_time__gt=after, end_time__lte=until)
    # One whose file has gone since has succeeded.
    outcomes = {BuildStatus.EXPIRED: BuildStatus.SUCCESS}
    for began, ended, status in rows.order_by().values_list("start_time", "end_time", "status"):
        if ended is not None:
            yield began, ended, str(outcomes.get(BuildStatus(status), status))


_dispatches = Tally(_ended_dispatches, _DISPATCH_BOUNDS, map(str, ENDED))
_builds = Tally(_ended_builds, _BUILD_BOUNDS, (BuildStatus.SUCCESS, BuildStatus.FAILED))


def _queues() -> dict[str, Queue]:
    """What nobody is at, by kind."""
    asked = Build.objects.filter(status=BuildStatus.PENDING, asked__isnull=False)
    return {
        "dispatch": _queue(Dispatch.objects.filter(status=DispatchStatus.QUEUED), "created"),
        "build": _queue(asked, "asked"),
        "host_job": _queue(HostJob.objects.filter(status="queued"), "asked"),
        "notice": _queue(Notice.objects.filter(status=NoticeStatus.WAITING), "created"),
        "uptest": _queue(UptestJob.objects.filter(lease_owner=""), "created"),
    }


def _queue(rows: QuerySet[Any], since: str) -> Queue:
    found = rows.order_by().aggregate(waiting=Count("pk"), oldest=Min(since))
    oldest = found["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    return Queue(found["waiting"], max(0.0, age))


def _under_way() -> dict[str, int]:
    return {
        "dispatch": Dispatch.objects.filter(status__in=OPEN).count(),
        "build": Build.objects.filter(status=BuildStatus.STARTED).count(),
        "host_job": HostJob.objects.filter(status__in=OPEN_JOBS).count(),
        "uptest": _held(UptestJob.objects.exclude(lease_owner="")),
    }


def _held(rows: QuerySet[Any]) -> int:
    return rows.count() - len(leases.lapsed(rows))
