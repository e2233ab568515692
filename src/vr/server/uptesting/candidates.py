"""Which procs can be uptested between dispatches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from vr.server.models import PortLease, ProcStatus
from vr.server.swarming.asking import swarms_with_busy_procs
from vr.server.uptesting.schedule import Candidate
from vr.specs.names import ProcName

_COLUMNS = ("pk", "host__name", "proc", "created", "swarm_id", "swarm__release__hash")
_REMEMBERED = ("health__tested", "health__is_unrouted", "health__status", "health__is_stopped")


def candidates(**search: Any) -> Iterator[Candidate]:
    """The procs, of those that `search` finds among the leases of ports, that serve and are
    believed to run: no dispatch deals with them, no user stopped them, their hosts are heard of,
    and the caretaker isn't at them."""
    busy = swarms_with_busy_procs()
    rows: QuerySet[PortLease] = PortLease.objects.filter(
        swarm__release__isnull=False, host__silent_since__isnull=True, **search
    )
    for pk, host, proc, created, swarm, serving, *health in rows.values_list(
        *_COLUMNS, *_REMEMBERED
    ):
        tested, is_unrouted, status, is_stopped = health
        name = ProcName.parse(proc)
        if swarm in busy or is_stopped or name is None or name.hash != serving:
            continue
        if status in {None, ProcStatus.WELL}:
            yield Candidate(pk, host, proc, _last(created, tested), bool(is_unrouted))


def _last(created: datetime, tested: datetime | None) -> float:
    return max(created, tested or created).timestamp()
