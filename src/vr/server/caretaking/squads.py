"""Squads that heal: what the database knows of swarms and lost hosts, and dispatches for those
that are to be rescued."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from vr.errors import VelociraptorError
from vr.events.procs import HostState
from vr.server.caretaking.rescuing import (
    Flock,
    HostVoice,
    Placed,
    Tried,
    lost_hosts,
    may_have_left_over,
    rescue,
)
from vr.server.models import Dispatch, DispatchStatus, Host, PortLease, Squad, Swarm
from vr.server.models.dispatch import ENDED, UNDER_WAY
from vr.server.swarming import asking
from vr.specs.names import ProcName

log = logging.getLogger(__name__)

_TRIED = 10


def heal(states: Mapping[str, HostState]) -> None:
    """Dispatch the swarms that hosts were lost to, as their squads say, those whose hosts are
    back or drained, and those with procs that an earlier dispatch could not retire. `states`: what
    hosts last pushed. What is refused is logged, and tried in a later round."""
    now = time.time()
    hosts = _voices(frozenset(name for name, state in states.items() if state.is_silent(now)))
    is_all_well = not any(
        voice.silent_since or voice.back_since or voice.draining for voice in hosts.values()
    )
    for flock in _flocks(only_left_over=is_all_well):
        if why := rescue(flock, hosts, now):
            _dispatch(flock.id, why, user=None)


def rescue_squad(squad: Squad, *, user: Any) -> list[Dispatch]:
    """Have procs on the squad's silent hosts placed on others now, whatever its policy; returns
    the dispatches. Raises what the first that is refused raises."""
    hosts, now = _voices(), time.time()
    opened = []
    for flock in _flocks(squad=squad):
        if lost := lost_hosts(flock, hosts, now, 0.0):
            swarm = _swarms().get(pk=flock.id)
            why = f"Silent: {', '.join(lost)}. Its procs there are placed on other hosts."
            opened.append(asking.rescue(swarm, user=user, why=why))
    return opened


def _dispatch(swarm_id: int, why: str, *, user: Any) -> None:
    swarm = _swarms().filter(pk=swarm_id).first()
    if swarm is None:
        return
    try:
        asking.rescue(swarm, user=user, why=why)
    except VelociraptorError as error:
        log.warning("%s can't be rescued: %s", swarm.name, error)


def _swarms() -> Any:
    return Swarm.objects.select_related("app", "squad", "release__build")


def _voices(unheard: frozenset[str] = frozenset()) -> dict[str, HostVoice]:
    rows = Host.objects.values_list("name", "silent_since", "back_since", "draining")
    return {
        name: HostVoice(_unix(silent), _unix(back), draining, name not in unheard)
        for name, silent, back, draining in rows
    }


def _flocks(*, only_left_over: bool = False, **search: Any) -> Iterable[Flock]:
    """Swarms that serve something and that no dispatch is under way to; on demand those only that
    may have procs which they don't want. One that is held gives way: what serves comes first."""
    busy = set(Dispatch.objects.filter(status__in=UNDER_WAY).values_list("swarm_id", flat=True))
    swarms = Swarm.objects.filter(release__isnull=False, **search).exclude(pk__in=busy)
    rows = list(swarms.values_list("pk", "size", "squad__rescue_after", "release__hash"))
    placed: dict[int, list[Placed]] = defaultdict(list)
    serving = {pk: hash_ for pk, _, _, hash_ in rows}
    # What is held is not left over.
    leases = PortLease.objects.filter(swarm_id__in=serving).exclude(
        dispatch__status=DispatchStatus.HELD
    )
    for swarm, host, proc in leases.values_list("swarm_id", "host__name", "proc"):
        name = ProcName.parse(proc)
        placed[swarm].append(Placed(host, name is not None and name.hash == serving[swarm]))
    for pk, size, after, _ in rows:
        if placed[pk] and (not only_left_over or may_have_left_over(placed[pk], size)):
            yield Flock(pk, size, after, placed[pk], _tried(pk))


def _tried(swarm_id: int) -> tuple[Tried, ...]:
    rows = Dispatch.objects.filter(swarm_id=swarm_id, status__in=ENDED).order_by("-id")
    columns = ("created", "ended", "status", "size", "user_id")
    return tuple(
        Tried(created.timestamp(), (ended or created).timestamp(), status, size, user is None)
        for created, ended, status, size, user in rows.values_list(*columns)[:_TRIED]
    )


def _unix(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
