"""Looking: what runs, what is routed, what has passed. Decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from vr.hosts.connection import HostConnection
from vr.hosts.crews import LOOKING
from vr.hosts.readiness import ProcState, has_restarted, is_running, state_of
from vr.hosts.supervisor import HostUnreachable, ProcessInfo
from vr.server.models import Build, BuildStatus, Dispatch, PortLease
from vr.server.procs import ownership, ports
from vr.server.procs.ownership import Claims
from vr.server.swarming import pools
from vr.server.swarming.goal import Goal
from vr.server.swarming.plan_types import (
    BuildState,
    Milestone,
    Node,
    Observed,
    SeenHost,
    SeenProc,
)
from vr.server.swarming.pools import Pool
from vr.server.uptests import recording
from vr.specs.names import ProcName

Reach = Callable[[str], HostConnection]
"""Gives the connection to a host by its name; raises HostUnreachable."""


@dataclass(frozen=True)
class _Sight:
    """One host as it answered: its processes by name. Both are None if it didn't."""

    host: HostConnection | None = None
    infos: Mapping[str, ProcessInfo] | None = None
    problem: str = ""


def observe(
    goal: Goal,
    dispatch: Dispatch,
    milestones: frozenset[Milestone],
    reach: Reach,
    foreign_ports: Mapping[str, set[int]],
) -> Observed:
    """All that the planner wants to know of the dispatch's swarm, looked up now.

    `foreign_ports` are those that turned out to be taken by programs that aren't ours, by host.
    """
    leases = ports.leases_around(goal.swarm, goal.squad.values())
    own = [lease for lease in leases if lease.swarm_id == goal.swarm.pk]
    names = sorted({*goal.squad, *(lease.host.name for lease in own)})
    looks = LOOKING.do(lambda name: _look(name, reach), names)
    sights = dict(zip(names, looks, strict=True))
    claims = ownership.claims_of(goal.swarm, goal.squad, leases)
    may_restart = Milestone.COMMITTED in milestones
    return Observed(
        build=build_state(dispatch.build),
        release=dispatch.release is not None,
        hosts=tuple(_seen_hosts(goal, leases, sights, foreign_ports)),
        procs=tuple(_seen_procs(goal, dispatch, own, claims, sights, may_restart)),
        nodes=goal.pool.nodes() if goal.pool else frozenset(),
        backups=goal.pool.backups() if goal.pool else frozenset(),
        former=None if dispatch.routed_before is None else frozenset(dispatch.routed_before),
        has_former_pools=bool(pools.former(goal.swarm)),
        has_preview=bool(previews := pools.previews(goal.swarm)),
        preview=_nodes_of(previews),
        waited_too_long=_has_rested(dispatch),
        batched=dispatch.batched,
        tested=_tested(dispatch),
        milestones=milestones,
        failed=bool(dispatch.error),
    )


def build_state(build: Build | None) -> BuildState:
    """What the planner makes of a build's row. A tarball that is gone must be built again."""
    if build is None or build.status == BuildStatus.EXPIRED:
        return BuildState.NEEDED
    if build.status == BuildStatus.FAILED:
        return BuildState.FAILED
    return BuildState.DONE if build.is_usable else BuildState.UNDERWAY


def _look(name: str, reach: Reach) -> _Sight:
    try:
        host = reach(name)
        return _Sight(host, host.supervisor.by_name())
    except HostUnreachable as error:
        return _Sight(problem=error.message)


def _seen_hosts(
    goal: Goal,
    leases: Iterable[PortLease],
    sights: Mapping[str, _Sight],
    foreign_ports: Mapping[str, set[int]],
) -> Iterable[SeenHost]:
    taken: dict[str, set[int]] = defaultdict(set)
    for lease in leases:
        taken[lease.host.name].add(lease.port)
    for host in goal.squad.values():
        sight = sights[host.name]
        names = [parsed for name in sight.infos or {} if (parsed := ProcName.parse(name))]
        yield SeenHost(
            name=host.name,
            active=host.active,
            draining=host.draining,
            is_full=host.disk_full_since is not None,
            answers=sight.infos is not None,
            problem=sight.problem,
            total=len(names),
            taken_ports=frozenset(taken[host.name])
            | foreign_ports.get(host.name, set())
            | {name.port for name in names},
        )


def _seen_procs(
    goal: Goal,
    dispatch: Dispatch,
    own: Iterable[PortLease],
    claims: Claims,
    sights: Mapping[str, _Sight],
    may_restart: bool,
) -> Iterable[SeenProc]:
    """The swarm's procs on hosts that answer, those too that own a port and do not run there.

    Unless they may restart, new ones that did so are dead: they would do it again."""
    lease_of = {(lease.host.name, lease.proc): lease for lease in own}
    for host_name, sight in sights.items():
        if sight.host is None or sight.infos is None:
            continue
        here = {proc for host, proc in lease_of if host == host_name}
        here |= {name for name in sight.infos if claims.owner(host_name, name) == goal.swarm.pk}
        for name in sorted(here):
            lease = lease_of.get((host_name, name))
            parsed = ProcName.parse(name)
            port = lease.port if lease else parsed.port if parsed else 0
            is_current = (
                dispatch.release is not None
                and host_name in goal.squad
                and name == str(goal.proc_name(dispatch.release, port))
            )
            is_new = lease is not None and lease.dispatch_id == dispatch.pk
            # Whether an old proc still answers changes nothing, so it isn't asked.
            listens = goal.listens and is_current
            info = sight.infos.get(name)
            state = state_of(info, sight.host, port, listens=listens) if info else ProcState.ABSENT
            if lease and info and is_new and not may_restart and has_restarted(lease.spawn, info):
                state = ProcState.DEAD
            yield SeenProc(host_name, name, port, state, is_current, is_new, is_running(info))


def _nodes_of(previews: Iterable[Pool]) -> frozenset[str] | None:
    """All nodes of the pools; None if a balancer can't tell."""
    found: frozenset[str] = frozenset()
    for pool in previews:
        nodes = pool.nodes()
        if nodes is None:
            return None
        found |= nodes
    return found


def _has_rested(dispatch: Dispatch) -> bool:
    return dispatch.rests_until is not None and dispatch.rests_until <= timezone.now()


def _tested(dispatch: Dispatch) -> frozenset[Node]:
    """What passed its last uptests in this dispatch."""
    passed = recording.passed_in(dispatch)
    names = [(host, ProcName.parse(proc)) for host, proc in passed]
    return frozenset(Node(host, name.port) for host, name in names if name)
