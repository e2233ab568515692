"""The planner in a world that fails at random: its promises hold at every moment.

The world below carries steps out piecemeal and lets workers die between any two pieces, procs
die, uptests fail, users cancel, hosts and the balancer go silent and come back. After each piece
the promises are checked; when the faults stop, the dispatch must come to an end.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from vr.hosts.readiness import ProcState
from vr.server.swarming.plan import plan
from vr.server.swarming.plan_types import (
    BuildState,
    Canary,
    Deploy,
    Drain,
    EndPreview,
    Fail,
    Finish,
    Hold,
    Intent,
    Milestone,
    NextBatch,
    Node,
    Observed,
    PlannedStep,
    Preview,
    Retire,
    Route,
    RouteBack,
    SeenHost,
    SeenProc,
    Settle,
    Start,
    Undo,
    Unroute,
    Uptest,
)

PORTS = range(5000, 5012)
FAULTS = 25


class Died(Exception):
    """The worker was killed."""


class Stuck(Exception):
    """There is no way back now: the dispatch ends as it is."""


class Refused(Exception):
    """A step failed for good: the dispatch fails."""


@dataclass
class World:
    """What really is, which the planner sees only through `observe`."""

    dice: random.Random
    size: int
    routed: bool
    faults: int = FAULTS
    rate: float = 0.3
    build: BuildState = BuildState.NEEDED
    release: bool = False
    silent: set[str] = field(default_factory=set)
    balancer_silent: bool = False
    procs: dict[Node, SeenProc] = field(default_factory=dict)
    pool: frozenset[Node] = frozenset()
    tested: set[Node] = field(default_factory=set)
    # While they were not routed: what is routed may be tested again.
    passed: set[Node] = field(default_factory=set)
    milestones: set[Milestone] = field(default_factory=set)
    failed: bool = False
    hosts: tuple[str, ...] = ("a", "b", "c")
    old: frozenset[Node] = frozenset()
    backups: frozenset[Node] = frozenset()
    former: frozenset[str] | None = None
    settles: bool = True
    holds: bool = False
    canary: int = 0
    batch: int = 0
    batched: int = 0
    # What the batch that is under way began with.
    served: frozenset[Node] = frozenset()
    preview: frozenset[Node] | None = None
    waited_too_long: bool = False
    supersedes: int = 0
    cancel_asked: bool = False
    step: PlannedStep | None = None

    def intent(self) -> Intent:
        return Intent(
            self.size,
            self.routed,
            PORTS,
            settles=self.settles,
            holds=self.holds,
            canary=self.canary,
            batch=self.batch,
        )

    def observe(self) -> Observed:
        taken = {h: frozenset(n.port for n in self.procs if n.host == h) for h in self.hosts}
        return Observed(
            build=self.build,
            release=self.release,
            hosts=tuple(
                SeenHost(h, answers=h not in self.silent, total=len(taken[h]), taken_ports=taken[h])
                for h in self.hosts
            ),
            procs=tuple(p for p in self.procs.values() if p.host not in self.silent),
            nodes=None if self.balancer_silent else frozenset(map(str, self.pool)),
            backups=frozenset() if self.balancer_silent else frozenset(map(str, self.backups)),
            former=self.former,
            tested=frozenset(self.tested),
            milestones=frozenset(self.milestones),
            failed=self.failed,
            has_preview=self.preview is not None,
            preview=None if self.balancer_silent else frozenset(map(str, self.preview or ())),
            waited_too_long=self.waited_too_long,
            batched=self.batched,
        )

    # What people do to a dispatch that is held

    def be_asked(self) -> None:
        """Somebody routes it, or cancels it, or swarms another version; or nobody does anything."""
        assert self.alive(self.old), "what was held took something"
        assert not self.routed or self.pool == self.old, "what was held is routed"
        match self.dice.randrange(4) if self.faults else 0:
            case 0:
                # What stood for long is tested again.
                self.holds, self.tested, self.passed = False, set(), set()
            case 1:
                self.cancel_asked = True
            case 2:
                self.waited_too_long = True
            case _:
                self._be_superseded()

    def _be_superseded(self) -> None:
        """Another dispatch, of another version, takes over what the held one has placed."""
        self.supersedes += 1
        self.procs = {
            node: replace(proc, is_current=False, name=proc.name.replace("-v2-", "-v1b-"))
            for node, proc in self.procs.items()
        }
        self.tested, self.passed, self.milestones = set(), set(), set()
        self.holds = self.supersedes < 3 and self.dice.random() < 0.5

    # What goes wrong

    def moment(self) -> None:
        """Between any two pieces of work something may go wrong."""
        self.check()
        if self.faults <= 0 or self.dice.random() > self.rate:
            return
        self.faults -= 1
        match self.dice.randrange(6):
            case 0:
                raise Died
            case 1:
                host = self.dice.choice(self.hosts)
                self.silent ^= {host}
            case 2:
                self.balancer_silent = not self.balancer_silent
            case 3:
                self.cancel_asked = True
                is_final = Milestone.COMMITTED in self.milestones
                if not is_final and not isinstance(self.step, Retire | Undo | RouteBack):
                    raise Refused
            case 4 if self.procs:
                node = self.dice.choice(sorted(self.procs))
                # The release that serves is healthy: new procs are what may be broken.
                if self.procs[node].is_new and self.procs[node].state is not ProcState.ABSENT:
                    self.procs[node] = replace(self.procs[node], state=ProcState.DEAD)
            case _:
                raise Refused

    def heal(self) -> None:
        self.faults = 0
        self.silent.clear()
        self.balancer_silent = False

    # What must hold

    def check(self) -> None:
        """The promises."""
        if Milestone.ROUTED not in self.milestones and self.routed:
            assert self.pool <= self.start() | self.passed, "routed before it was tested"
        assert self.pool <= self.old | self.passed, "an untested node is routed"
        gone = {n for n in self.start() if n not in self.procs}
        if gone and self.routed:
            assert not gone & self.pool, "a routed proc was retired"
        if gone and Milestone.COMMITTED not in self.milestones:
            raise AssertionError("an old proc was retired without a way forward")
        if self.routed:
            assert self.serving() >= min(self.size, len(self.old)), "less serves than before"

    def start(self) -> frozenset[Node]:
        """What was there, and routed, before the batch that is under way."""
        return self.served if self.batched else self.old

    def alive(self, nodes: frozenset[Node]) -> bool:
        return all(n in self.procs and self.procs[n].state is ProcState.READY for n in nodes)

    def serving(self) -> int:
        return len([n for n in self.pool if n in self.procs])

    # What steps do

    def carry_out(self, step: PlannedStep) -> None:
        self.step = step
        match step:
            case Deploy(nodes):
                for node in nodes:
                    assert node.host not in self.silent or self.faults, "placed on a silent host"
                    owner = self.procs.get(node)
                    assert owner is None or owner.is_new, "two owners of a port"
                    self.procs[node] = _new(node, ProcState.ABSENT)
                for node in nodes:
                    self.moment()
                    self.procs[node] = _new(node, ProcState.STARTING)
            case Start(nodes, running):
                for node in nodes:
                    self.moment()
                    if self.procs[node].state is ProcState.DEAD:
                        raise Refused
                    self.procs[node] = replace(
                        self.procs[node],
                        state=ProcState.READY,
                        is_running=running or self.procs[node].is_running,
                    )
            case Uptest(nodes):
                for node in nodes:
                    self.moment()
                    if self.procs[node].state is not ProcState.READY:
                        raise Refused
                    self.tested.add(node)
                    self.passed.add(node)
            case Route(nodes, backups):
                self.moment()
                if self.balancer_silent:
                    raise Refused
                before = {n for n in self.pool if n in self.procs}
                if self.former is None:
                    self.former = frozenset(map(str, self.pool | self.backups))
                self.moment()
                for node in nodes:
                    assert self.procs[node].is_running, "routed before it was looked at again"
                self.pool = frozenset(nodes)
                self.backups = frozenset(n for n in self.procs if str(n) in backups)
                assert self.serving() >= min(self.size, len(before)), "routing lost capacity"
                self.moment()
                self.milestones.add(Milestone.ROUTED)
                self.milestones -= {Milestone.DRAINED}
            case Settle(nodes):
                there = self.start() if self.routed else frozenset()
                assert self.settles and self.alive(there), "an old proc went too early"
                for node in nodes:
                    self.moment()
                    if self.procs[node].state is not ProcState.READY:
                        raise Refused
                self.milestones.add(Milestone.COMMITTED)
            case Preview(nodes):
                self.moment()
                if self.balancer_silent:
                    raise Refused
                assert set(nodes) <= self.tested, "an untested node is shown"
                self.preview = frozenset(nodes)
                self.moment()
            case EndPreview():
                self.moment()
                if self.balancer_silent:
                    raise Stuck if self.failed else Refused
                self.preview = None
            case Canary(nodes):
                if self.routed:
                    assert {*nodes} <= self.pool, "a canary isn't routed"
                for node in nodes:
                    self.moment()
                    if self.procs[node].state is not ProcState.READY:
                        raise Refused
                if self.dice.random() < 0.3:
                    self.tested -= {*nodes}  # and it is tested once more
                else:
                    self.milestones.add(Milestone.CANARIED)
            case NextBatch(batched):
                self.moment()
                assert batched > self.batched, "a batch brought nothing"
                self.batched, self.served = batched, self.pool
                self.former = None
                self.milestones -= {Milestone.ROUTED, Milestone.DRAINED, Milestone.COMMITTED}
                # Supervisor has started again what died since it settled.
                self.procs = {
                    node: replace(proc, is_new=False, state=ProcState.READY)
                    if proc.is_current
                    else proc
                    for node, proc in self.procs.items()
                }
            case RouteBack(names):
                self.moment()
                if self.balancer_silent:
                    raise Stuck
                self.pool = frozenset(n for n in self.procs if str(n) in names)
                self.backups = frozenset()
                assert set(names) == {str(n) for n in self.pool}, "routed back to what is gone"
            case Drain(nodes):
                self.moment()
                if self.backups:
                    if self.balancer_silent:
                        raise Refused
                    self.pool, self.backups = frozenset(nodes), frozenset()
                self.milestones.add(Milestone.DRAINED)
            case Retire(procs):
                self.milestones.add(Milestone.COMMITTED)
                if self.routed:
                    assert Milestone.DRAINED in self.milestones, "retired before the drain"
                for proc in procs:
                    self.moment()
                    self._remove(proc)
            case Undo(procs):
                for proc in procs:
                    self.moment()
                    assert proc.is_new, "a failure removed an old proc"
                    self._remove(proc)
            case Fail():
                raise Refused
            case Unroute():
                raise AssertionError("there are no former pools here")
            case _:
                self.moment()
                self._towards_release()

    def _towards_release(self) -> None:
        if self.build is not BuildState.DONE:
            self.build = BuildState.DONE
        else:
            self.release = True

    def _remove(self, proc: SeenProc) -> None:
        assert proc.node not in self.pool, "a routed proc is removed"
        assert self.preview is None or self.balancer_silent, "a proc that is shown is removed"
        self.procs.pop(proc.node, None)


def _new(node: Node, state: ProcState) -> SeenProc:
    return SeenProc(
        node.host, f"shop-v2-{node}", node.port, state, True, is_new=True, is_running=False
    )


def _world(
    seed: int,
    size: int,
    old: int,
    routed: bool,
    settles: bool = True,
    holds: bool = False,
    canary: int = 0,
    batch: int = 0,
    rate: float = 0.3,
) -> World:
    world = World(
        random.Random(seed),
        size,
        routed,
        rate=rate,
        settles=settles,
        holds=holds,
        canary=canary,
        batch=batch,
    )
    nodes = [Node(world.hosts[i % 3], PORTS[0] + i) for i in range(old)]
    for node in nodes:
        name = f"shop-v1-{node}"
        world.procs[node] = SeenProc(node.host, name, node.port, ProcState.READY, is_current=False)
    world.old = frozenset(nodes)
    world.pool = world.old if routed else frozenset()
    return world


def _work(world: World) -> bool:
    """One worker's life; True if it ended the dispatch."""
    for _ in range(100):
        if world.cancel_asked and Milestone.COMMITTED not in world.milestones:
            world.failed = True
        step = plan(world.intent(), world.observe())[0]
        if isinstance(step, Finish):
            return True
        if isinstance(step, Hold):
            world.be_asked()
            continue
        try:
            world.carry_out(step)
        except Refused:
            world.failed = True
        except Stuck:
            assert world.failed and world.balancer_silent
            return True
    return False


def _run(world: World) -> None:
    """Workers until the dispatch has ended; faults stop some time."""
    for life in range(60):
        if life == 40:
            world.heal()
        try:
            if _work(world):
                world.check()
                return
        except Died:
            continue
    raise AssertionError("the dispatch never came to an end")


worlds = st.builds(
    _world,
    seed=st.integers(0, 2**32),
    size=st.integers(0, 4),
    old=st.integers(0, 4),
    routed=st.booleans(),
    settles=st.booleans(),
    holds=st.booleans(),
    canary=st.integers(0, 3),
    batch=st.integers(0, 3),
    # The less goes wrong, the farther a dispatch comes before it fails.
    rate=st.sampled_from([0.03, 0.1, 0.3]),
)


@settings(max_examples=600, deadline=None)
@given(worlds)
def test_promises_hold_whatever_fails_and_the_dispatch_ends(world: World) -> None:
    _run(world)
    if not world.failed and not world.silent:
        assert len([p for p in world.procs.values() if p.is_current]) >= world.size
        if world.routed and not world.balancer_silent:
            assert world.pool <= world.tested


@settings(max_examples=100, deadline=None)
@given(worlds)
def test_without_faults_exactly_what_is_wanted_is_left(world: World) -> None:
    world.faults = 0
    _run(world)
    assert not world.failed
    assert len(world.procs) == world.size
    assert all(proc.is_current for proc in world.procs.values())
    assert world.preview is None
    if world.routed:
        assert world.pool == set(world.procs)


@settings(max_examples=400, deadline=None)
@given(worlds)
def test_a_failed_dispatch_leaves_every_old_proc_or_has_new_ones_serving(world: World) -> None:
    _run(world)
    if world.failed and Milestone.COMMITTED not in world.milestones:
        before = world.start()
        assert before <= set(world.procs)
        # A balancer may do what it then reports as failed.
        assert world.alive(before), "the way back is gone"
        if world.routed and not world.balancer_silent:
            assert world.pool == before and not world.backups
            assert world.preview is None
            if not world.silent:
                assert set(world.procs) == set(before), "something is left"


@settings(max_examples=200, deadline=None)
@given(worlds)
def test_what_failed_between_batches_can_be_taken_back(world: World) -> None:
    """By a dispatch of what served before, which finds both versions in service."""
    world.holds = False
    _run(world)
    if not (world.failed and world.batched):
        return
    world.heal()
    world.procs = {
        # Supervisor has started again what died.
        node: replace(proc, is_new=False, is_current=not proc.is_current, state=ProcState.READY)
        for node, proc in world.procs.items()
    }
    world.old = frozenset(world.pool)
    world.failed = world.cancel_asked = False
    world.tested, world.passed, world.milestones, world.former = set(), set(), set(), None
    world.batched, world.canary = 0, 0
    _run(world)
    assert not world.failed
    assert len(world.procs) == world.size
    assert all(proc.is_current for proc in world.procs.values())


def test_the_worlds_end_in_every_way() -> None:
    """What is promised above under a condition would else be promised of nothing."""
    endings = set()
    for seed in range(100):
        world = _world(seed, size=2, old=2, routed=True)
        _run(world)
        endings.add((world.failed, Milestone.COMMITTED in world.milestones))
    assert endings == {(False, True), (True, False), (True, True)}


def test_the_worlds_end_in_every_way_that_is_asked_for() -> None:
    batches, canaries, superseded = set(), set(), set()
    for seed in range(200):
        world = _world(seed, size=3, old=3, routed=True, holds=True, canary=1, batch=1, rate=0.05)
        _run(world)
        batches.add((world.failed, world.batched))
        canaries.add((world.failed, Milestone.CANARIED in world.milestones))
        superseded.add((world.failed, world.supersedes > 0))
    assert {(True, 0), (True, 1), (True, 2), (False, 2)} <= batches
    assert canaries == {(True, False), (True, True), (False, True)}
    assert superseded == {(True, False), (True, True), (False, False), (False, True)}
