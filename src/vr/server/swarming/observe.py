"""Looking: what runs, what is routed, what has passed. Decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from supervisor.states import ProcessStates

from vr.errors import VelociraptorError
from vr.hosts.connection import HostConnection
from vr.hosts.supervisor import HostUnreachable, ProcessInfo
from vr.server.models import (
    Build,
    BuildStatus,
    Host,
    PortLease,
    StepKind,
    StepStatus,
    TestResult,
)
from vr.server.swarming.plan_types import (
    BuildState,
    HostView,
    Milestone,
    Node,
    Observed,
    Proc,
    ProcState,
)
from vr.server.swarming.run import Run, side_by_side
from vr.specs.names import ProcName


@dataclass(frozen=True)
class _Sight:
    """One host as it answered; `infos` is None if it didn't."""

    infos: Mapping[str, ProcessInfo] | None
    problem: str = ""


def observe(run: Run) -> Observed:
    """All that the planner wants to know of the dispatch's swarm, looked up now."""
    leases = list(PortLease.objects.filter(swarm=run.swarm).select_related("host"))
    hosts = {**run.squad_hosts, **{lease.host.name: lease.host for lease in leases}}
    sights = dict(zip(hosts, side_by_side(lambda name: _look(run, name), hosts), strict=True))
    return Observed(
        build=build_state(run.dispatch.build),
        release=run.dispatch.release is not None,
        hosts=tuple(_host_views(run, hosts.values(), sights)),
        procs=tuple(_procs(run, leases, sights)),
        nodes=_nodes(run),
        has_former_pools=bool(former_pools(run)),
        tested=_tested(run),
        milestones=milestones(run),
        failed=bool(run.dispatch.error),
    )


def build_state(build: Build | None) -> BuildState:
    """What the planner makes of a build's row. A tarball that is gone must be built again."""
    if build is None or build.status == BuildStatus.EXPIRED:
        return BuildState.NEEDED
    if build.status == BuildStatus.FAILED:
        return BuildState.FAILED
    return BuildState.DONE if build.is_usable else BuildState.UNDERWAY


def former_pools(run: Run) -> list[tuple[str, str]]:
    """The (balancer, pool)s that may still hold nodes of the swarm from before a change."""
    now = (run.swarm.balancer, run.swarm.pool)
    return [(b, p) for b, p in run.swarm.routed_pools if (b, p) != now]


def readiness(info: ProcessInfo, host: HostConnection, port: int, listens: bool) -> ProcState:
    """How far a proc is. One that must listen is ready when its port accepts, whatever
    Supervisor's startsecs say; others when Supervisor calls them RUNNING."""
    state = info["state"]
    if state == ProcessStates.STOPPED and not info["start"]:
        return ProcState.STARTING  # Supervisor has it, and starts it any moment
    if state not in {ProcessStates.STARTING, ProcessStates.RUNNING}:
        return ProcState.DEAD
    ready = host.accepts(port) if listens else state == ProcessStates.RUNNING
    return ProcState.READY if ready else ProcState.STARTING


def _look(run: Run, host_name: str) -> _Sight:
    try:
        host = run.host(host_name)
        return _Sight(host.supervisor.by_name())
    except HostUnreachable as error:
        return _Sight(None, problem=error.message)


def _host_views(
    run: Run, hosts: Iterable[Host], sights: Mapping[str, _Sight]
) -> Iterable[HostView]:
    leased = defaultdict(set)
    for name, port in PortLease.objects.filter(host__in=hosts).values_list("host__name", "port"):
        leased[name].add(port)
    for host in hosts:
        if host.name not in run.squad_hosts:
            continue
        sight = sights[host.name]
        names = [parsed for name in sight.infos or {} if (parsed := ProcName.parse(name))]
        yield HostView(
            name=host.name,
            active=host.active,
            answers=sight.infos is not None,
            problem=sight.problem,
            total=len(names),
            taken_ports=frozenset(leased[host.name])
            | run.foreign_ports[host.name]
            | {name.port for name in names},
        )


def _procs(run: Run, leases: Iterable[PortLease], sights: Mapping[str, _Sight]) -> Iterable[Proc]:
    """The swarm's procs on hosts that answer: those it owns a port for, and those named so."""
    owned = {(lease.host.name, lease.proc): lease for lease in leases}
    others = set(
        PortLease.objects.exclude(swarm=run.swarm)
        .exclude(swarm=None)
        .values_list("host__name", "proc")
    )
    for host_name, sight in sights.items():
        if sight.infos is None:
            continue
        here = {proc for host, proc in owned if host == host_name}
        if host_name in run.squad_hosts:
            here |= {
                name
                for name in sight.infos
                if _is_named_for(run, name) and (host_name, name) not in others
            }
        for name in sorted(here):
            yield _proc(run, host_name, name, owned.get((host_name, name)), sight.infos)


def _proc(
    run: Run, host: str, name: str, lease: PortLease | None, infos: Mapping[str, ProcessInfo]
) -> Proc:
    parsed = ProcName.parse(name)
    port = lease.port if lease else parsed.port if parsed else 0
    is_current = (
        run.dispatch.release is not None
        and host in run.squad_hosts
        and name == str(run.proc_name(port))
    )
    info = infos.get(name)
    if info is None:
        state = ProcState.ABSENT
    else:
        # Whether an old proc still answers changes nothing, so it isn't asked.
        state = readiness(info, run.host(host), port, run.listens and is_current)
    is_new = lease is not None and lease.dispatch_id == run.dispatch.pk
    return Proc(host, name, port, state, is_current, is_new)


def _is_named_for(run: Run, name: str) -> bool:
    parsed = ProcName.parse(name)
    swarm = run.swarm
    return parsed is not None and (parsed.app, parsed.config, parsed.proc) == (
        swarm.app.name,
        swarm.config_name,
        swarm.proc_name,
    )


def _nodes(run: Run) -> frozenset[str] | None:
    if not run.has_pool:
        return frozenset()
    try:
        return frozenset(run.balancer().get_nodes(run.swarm.pool))
    except (VelociraptorError, OSError):
        return None


def _tested(run: Run) -> frozenset[Node]:
    """What passed its last uptests in this dispatch."""
    last: dict[Node, bool] = {}
    rows: Any = TestResult.objects.filter(testrun__dispatch=run.dispatch).order_by("id")
    for result in rows:
        if parsed := ProcName.parse(result.procname):
            last[Node(result.hostname, parsed.port)] = result.passed
    return frozenset(node for node, passed in last.items() if passed)


def milestones(run: Run) -> frozenset[Milestone]:
    """What this dispatch has completed and can't be seen from outside."""
    steps = {row.kind: row for row in run.dispatch.steps.all()}
    done = {kind: row for kind, row in steps.items() if row.status == StepStatus.DONE}
    found = set()
    if route := done.get(StepKind.ROUTE):
        found |= {Milestone.ROUTED, Milestone.COMMITTED}
        drain = done.get(StepKind.DRAIN)
        # What was routed again after a drain must be drained again.
        if drain and drain.ended and route.ended and drain.ended >= route.ended:
            found.add(Milestone.DRAINED)
    if StepKind.RETIRE in steps:
        found.add(Milestone.COMMITTED)
    return frozenset(found)
