"""Squads that heal: what the database knows of swarms and lost hosts, and dispatches for those
that are to be rescued."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from vr.errors import VelociraptorError
from vr.server.caretaking.rescuing import Flock, HostVoice, Placed, Tried, lost_hosts, rescue
from vr.server.models import Dispatch, Host, PortLease, Squad, Swarm
from vr.server.models.dispatch import ENDED, UNDER_WAY
from vr.server.swarming import asking
from vr.specs.names import ProcName

log = logging.getLogger(__name__)

_TRIED = 10


def heal() -> None:
    """Dispatch the swarms that hosts were lost to, as their squads say, and those whose hosts are
    back or drained. What is refused is logged, and tried in a later round."""
    hosts = _voices()
    if not any(
        voice.silent_since or voice.back_since or voice.draining for voice in hosts.values()
    ):
        return
    now = time.time()
    for flock in _flocks():
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


def _voices() -> dict[str, HostVoice]:
    rows = Host.objects.values_list("name", "silent_since", "back_since", "draining")
    return {
        name: HostVoice(_unix(silent), _unix(back), draining)
        for name, silent, back, draining in rows
    }


def _flocks(**search: Any) -> Iterable[Flock]:
    """Swarms that serve something and that no dispatch is under way to. One that is held gives
    way: what serves comes first."""
    busy = set(Dispatch.objects.filter(status__in=UNDER_WAY).values_list("swarm_id", flat=True))
    swarms = Swarm.objects.filter(release__isnull=False, size__gt=0, **search).exclude(pk__in=busy)
    rows = list(swarms.values_list("pk", "size", "squad__rescue_after", "release__hash"))
    placed: dict[int, list[Placed]] = defaultdict(list)
    serving = {pk: hash_ for pk, _, _, hash_ in rows}
    leases = PortLease.objects.filter(swarm_id__in=serving)
    for swarm, host, proc in leases.values_list("swarm_id", "host__name", "proc"):
        name = ProcName.parse(proc)
        placed[swarm].append(Placed(host, name is not None and name.hash == serving[swarm]))
    for pk, size, after, _ in rows:
        if placed[pk]:
            yield Flock(pk, size, after, placed[pk], _tried(pk))


def _tried(swarm_id: int) -> tuple[Tried, ...]:
    rows = Dispatch.objects.filter(swarm_id=swarm_id, status__in=ENDED).order_by("-id")
    return tuple(
        Tried(created.timestamp(), (ended or created).timestamp(), status)
        for created, ended, status in rows.values_list("created", "ended", "status")[:_TRIED]
    )


def _unix(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
