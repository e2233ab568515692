"""Pools that drifted are put right: nodes of hosts that are lost leave them, and so does what is
not their swarm's; what is missing is tested, and comes in."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from vr.errors import VelociraptorError
from vr.server.caretaking.drifting import Drift, Member, drift, left_without
from vr.server.events.announcing import announce
from vr.server.events.kinds import Kind
from vr.server.jobs import leases, wake
from vr.server.jobs.leases import Lease, LeaseLost
from vr.server.models import DispatchStatus, Duty, PortLease, ProcHealth, ProcStatus, Swarm
from vr.server.models.duty import OPEN
from vr.server.procs import health
from vr.server.swarming import pools, routed
from vr.server.swarming.opening import open_dispatch
from vr.server.swarming.pools import Pool, pool_of
from vr.specs.names import ProcName
from vr.text.plurals import counted

log = logging.getLogger(__name__)

# All pools are looked at within so many rounds, at least this many in each.
_ROUNDS, _LEAST = 60, 10
_SECONDS = 30.0
# The voices of a swarm's hosts: name, silent since, back since.
Voices = tuple[tuple[str, datetime | None, datetime | None], ...]


class PoolRounds:
    """What one process remembers of its looks at pools: who comes next, and how the hosts of each
    swarm were when it was looked at last."""

    def __init__(self) -> None:
        self._last = 0
        self._voices: dict[int, Voices] = {}

    def go(self) -> None:
        """Wake who looks at the next few pools, and at those with hosts that were lost or are
        back."""
        swarms = Swarm.objects.filter(release__isnull=False, size__gt=0).exclude(pool="")
        pools = dict(swarms.order_by("pk").values_list("pk", "balancer"))
        voices = _voices()
        changed = {pk for pk in pools if voices.get(pk, ()) != self._voices.get(pk, ())}
        self._voices = {pk: voices.get(pk, ()) for pk in pools}
        chosen: dict[str, list[int]] = defaultdict(list)
        for pk in sorted(changed | set(self._next(list(pools)))):
            chosen[pools[pk]].append(pk)
        for balancer, ids in chosen.items():
            if balancer in settings.BALANCERS:
                wake.now(wake.MEND_POOLS, balancer, ids, expires=_SECONDS)

    def _next(self, pks: Sequence[int]) -> Sequence[int]:
        count = max(_LEAST, -(-len(pks) // _ROUNDS))
        later = [pk for pk in pks if pk > self._last]
        found = (later + [pk for pk in pks if pk <= self._last])[:count]
        self._last = found[-1] if found else 0
        return found


def _voices() -> Mapping[int, Voices]:
    """How the hosts are that each swarm has procs on, but for those that were never silent."""
    found: dict[int, set[tuple[str, datetime | None, datetime | None]]] = defaultdict(set)
    rows = PortLease.objects.filter(swarm__isnull=False, host__active=True)
    columns = ("swarm_id", "host__name", "host__silent_since", "host__back_since")
    for swarm, host, silent, back in rows.values_list(*columns):
        if swarm is not None and (silent or back):
            found[swarm].add((host, silent, back))
    return {swarm: tuple(sorted(voices, key=lambda one: one[0])) for swarm, voices in found.items()}


def mend_pools(balancer: str, swarm_ids: Sequence[int]) -> None:
    """Put the pools of the swarms right, one after the other; nothing if another worker does so
    for this balancer. What goes wrong is logged, and tried in a later round."""
    name = f"pools of {balancer}"[:50]
    Duty.objects.get_or_create(name=name)
    with leases.hold(Duty, name, OPEN) as lease:
        if lease is None:
            return
        for pk in swarm_ids:
            try:
                _mend(pk, lease)
            except LeaseLost:
                return
            except VelociraptorError as error:
                log.warning("the pool of the swarm %s stays as it is: %s", pk, error)


def _mend(swarm_id: int, lease: Lease) -> None:
    swarm = Swarm.objects.select_related("app", "release").filter(pk=swarm_id).first()
    pool = pool_of(swarm) if swarm else None
    if swarm is None or pool is None or pool not in pools.remembered(swarm):
        return
    drifted = Drift()

    def made(nodes: frozenset[str], backups: frozenset[str]) -> routed.Wanted:
        nonlocal drifted
        # Looked up after the nodes were: a dispatch is there, and a port leased, before it routes.
        busy = open_dispatch(swarm)
        if busy is not None and busy.status != DispatchStatus.HELD:
            drifted = Drift()
            return None
        drifted = drift(nodes, _members(swarm))
        left = left_without(nodes, drifted, routed.takes_connections)
        lease.check()
        return None if left is None else (left, backups - drifted.strange)

    if routed.change(pool, made):
        _tell(swarm, pool, drifted)
    for node in drifted.missing:
        _test_anew(swarm, node)


def _members(swarm: Swarm) -> list[Member]:
    rows = PortLease.objects.filter(swarm=swarm, host__active=True).select_related("health", "host")
    # What is held is not to be routed, were it of the release that serves.
    rows = rows.exclude(dispatch__status=DispatchStatus.HELD)
    found = []
    for lease in rows:
        name = ProcName.parse(lease.proc)
        if name is None or swarm.release is None or name.hash != swarm.release.hash:
            continue
        state = getattr(lease, "health", None)
        is_well = state is None or (state.status == ProcStatus.WELL and not state.is_stopped)
        is_silent = lease.host.silent_since is not None
        found.append(Member(f"{lease.host.name}:{lease.port}", is_well, is_silent))
    return found


def _test_anew(swarm: Swarm, node: str) -> None:
    """Let the caretaker test the proc, and route it when it has passed, as one that came back."""
    host, _, port = node.rpartition(":")
    for lease in PortLease.objects.filter(swarm=swarm, host__name=host, port=int(port)):
        row = health.row_of(lease.pk)
        if row is not None:
            well = ProcHealth.objects.filter(pk=row.pk, status=ProcStatus.WELL, is_stopped=False)
            well.update(status=ProcStatus.BACK, due=None)


def _tell(swarm: Swarm, pool: Pool, drifted: Drift) -> None:
    sentences = []
    if drifted.lost:
        hosts = sorted({node.rpartition(":")[0] for node in drifted.lost})
        sentences.append(
            f"Nothing is heard of {', '.join(hosts)}, so {counted(len(drifted.lost), 'node')} left "
            f"the pool: {', '.join(sorted(drifted.lost))}. They come back when the hosts do, "
            "tested."
        )
    if drifted.strange:
        sentences.append(
            f"{counted(len(drifted.strange), 'node')} left the pool that the swarm does not own: "
            f"{', '.join(sorted(drifted.strange))}."
        )
    with transaction.atomic():
        announce(
            f"{swarm.name}: the pool {pool.name} was put right",
            " ".join(sentences),
            kind=Kind.POOL_MENDED,
            resource_uri=f"/api/v1/swarms/{swarm.pk}/",
        )
