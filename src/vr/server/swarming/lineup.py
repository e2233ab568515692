"""Who is to serve when the stage of a dispatch that is under way is done. Pure.

Most dispatches have one stage: all new procs come, all old ones go. Before it there may be one in
which a few new procs are tried beside all old ones (canary); or it is cut into batches, each of
which brings so many in and lets as many go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from vr.hosts.readiness import ProcState
from vr.server.swarming.plan_types import Intent, Milestone, Node, Observed, SeenProc


@dataclass(frozen=True)
class Lineup:
    """`kept` are the current procs that stay, `target` how many such there are to be, `staying`
    the nodes that go on serving beside them, `leaving` the procs that are to go.

    `is_canary`: nobody leaves in this stage. `is_last`: nothing comes after it.
    """

    kept: tuple[SeenProc, ...]
    target: int
    staying: tuple[Node, ...]
    leaving: tuple[SeenProc, ...]
    is_canary: bool
    is_last: bool


def lineup(intent: Intent, seen: Observed) -> Lineup:
    """The lineup of the stage that is under way.

    The nodes that stay are never fewer than make up the size with `target`, if so many serve: a
    batch takes out no more than it brings in.
    """
    current = _current(seen)
    old = _serving(intent, seen, current)
    settled = sum(not proc.is_new for proc in current)
    is_canary = bool(old) and settled < intent.size and _is_canary_due(intent, seen)
    target = intent.size
    if is_canary:
        target = min(intent.size, settled + intent.canary)
    elif _goes_by_batches(intent, seen, old):
        # What earlier batches brought and a host has lost since is replaced with this one.
        done = max(settled, seen.batched)
        target = min(intent.size, max(done + _step(intent, seen), len(current)))
    kept = _kept(target, current, seen)
    staying = old if is_canary else old[: intent.size - target]
    leaving = [p for p in seen.procs if p not in kept and p.node not in staying]
    return Lineup(
        kept,
        target,
        tuple(sorted(staying)),
        () if is_canary else in_order(leaving),
        is_canary=is_canary,
        is_last=not is_canary and target >= intent.size,
    )


def in_order(procs: Iterable[SeenProc]) -> tuple[SeenProc, ...]:
    """The procs by their hosts and names."""
    return tuple(sorted(procs, key=lambda proc: (proc.host, proc.name)))


def _is_canary_due(intent: Intent, seen: Observed) -> bool:
    is_past = seen.milestones & {Milestone.CANARIED, Milestone.COMMITTED} or seen.batched
    return bool(intent.canary and not is_past)


def _goes_by_batches(intent: Intent, seen: Observed, old: Sequence[Node]) -> bool:
    # What is routed under another name can't serve on in this pool.
    return bool(intent.batch and (old or seen.batched) and not seen.has_former_pools)


def _step(intent: Intent, seen: Observed) -> int:
    """How many procs this batch brings in: the canaries are of the first one."""
    is_first = not seen.batched
    if is_first and Milestone.CANARIED in seen.milestones:
        return max(intent.batch, intent.canary)
    return intent.batch


def _serving(intent: Intent, seen: Observed, current: Collection[SeenProc]) -> tuple[Node, ...]:
    """What serves and is to be replaced, that first which is to serve longest.

    With a pool only what was routed before, as nobody else has tested it: backups last, as they
    are on their way out. What hosts that don't answer may serve is as good as what is seen.
    """
    active = {host.name for host in seen.hosts if host.active and not host.draining}
    old = {
        proc.node
        for proc in seen.procs
        if proc not in current and not proc.is_new and proc.state is ProcState.READY
    }
    if not intent.routed:
        return tuple(sorted(old, key=lambda node: (node.host not in active, node)))
    silent = {host.name for host in seen.hosts if not host.answers}
    # A guess where the balancer is silent: it decides which stage it is, and is never routed.
    routed = frozenset(map(str, old)) if seen.nodes is None else seen.nodes
    there = {node for node in old if str(node) in routed | seen.backups}
    # What this dispatch has routed on a host that is silent now is no old node.
    before = routed if seen.former is None else routed & seen.former
    there |= {_node(name) for name in before if name.rpartition(":")[0] in silent}

    def last_in(node: Node) -> tuple[bool, bool, bool, Node]:
        return str(node) not in routed, node.host in silent, node.host not in active, node

    return tuple(sorted(there, key=last_in))


def _current(seen: Observed) -> list[SeenProc]:
    """Current procs that can serve; of hosts that are drained, none."""
    draining = {host.name for host in seen.hosts if host.draining}
    return [
        proc
        for proc in seen.procs
        if proc.is_current and _can_serve(proc) and proc.host not in draining
    ]


def _kept(target: int, current: Sequence[SeenProc], seen: Observed) -> tuple[SeenProc, ...]:
    """Which current procs stay, at most `target`.

    Given up first: procs of inactive hosts, then those that aren't ready or tested, then those
    of the hosts with the most (so that shrinking levels the load).
    """
    active = {host.name for host in seen.hosts if host.active}
    stay = list(current)
    while len(stay) > target:
        crowd = Counter(proc.host for proc in stay)
        stay.remove(
            max(
                stay,
                key=lambda proc: (
                    proc.host not in active,
                    proc.state is not ProcState.READY,
                    proc.node not in seen.tested,
                    crowd[proc.host],
                    proc.node,
                ),
            )
        )
    return in_order(stay)


def _can_serve(proc: SeenProc) -> bool:
    if proc.state is ProcState.ABSENT:
        # Of another dispatch it is debris; of this one it waits for its deploy.
        return proc.is_new
    return proc.state is not ProcState.DEAD


def _node(name: str) -> Node:
    host, _, port = name.rpartition(":")
    return Node(host, int(port))
