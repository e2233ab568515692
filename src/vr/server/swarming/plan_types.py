"""What the planner decides on and what it decides: plain values, no Django, no I/O.

`Proc`, `Build`, `Host` and `Step` are rows of the database; what is seen of the world and what
is planned have names of their own here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from vr.hosts.readiness import ProcState


class BuildState(Enum):
    NEEDED = "needed"
    UNDERWAY = "underway"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, order=True)
class Node:
    """A port of a host: what a balancer routes to, and what a proc owns."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class SeenProc:
    """A proc of the swarm on a host that answers.

    `is_current`: it runs the release that is wanted, on a host of the squad.
    `is_new`: this dispatch placed it. `is_running`: its Supervisor calls it RUNNING.
    """

    host: str
    name: str
    port: int
    state: ProcState
    is_current: bool
    is_new: bool = False
    is_running: bool = True

    @property
    def node(self) -> Node:
        return Node(self.host, self.port)


@dataclass(frozen=True)
class SeenHost:
    """A host of the squad as seen now. `answers` False means that nothing is known of its procs,
    which is not the same as having none."""

    name: str
    answers: bool
    active: bool = True
    draining: bool = False  # its procs are to move to others
    is_full: bool = False  # its disk is, so it gets no new procs
    problem: str = ""  # why it doesn't answer
    total: int = 0  # procs of all swarms
    taken_ports: frozenset[int] = frozenset()


class Milestone(Enum):
    """What this dispatch has completed and what can't be observed from outside."""

    CANARIED = "canaried"  # the first of the new procs have proved themselves beside the old
    # Of the batch that is under way, if it goes by batches:
    ROUTED = "routed"
    DRAINED = "drained"
    # The new procs have settled, or old ones began to go: there is no way back.
    COMMITTED = "committed"


@dataclass(frozen=True)
class Intent:
    """What is wanted. `first_port` is where the search for free ports begins.

    `holds`: all waits before the route. `canary`: so many new procs are tried beside all old
    ones first. `batch`: so many procs are replaced at a time. 0: no such thing.
    """

    size: int
    routed: bool  # is there a pool?
    ports: range
    first_port: int = 0
    settles: bool = True  # must new procs stay up for a while before old ones go?
    holds: bool = False
    canary: int = 0
    batch: int = 0
    # Names the planner puts into its sentences.
    squad: str = "the squad"


@dataclass(frozen=True)
class Observed:
    """What is there. `nodes` is None while the balancer doesn't answer."""

    build: BuildState = BuildState.NEEDED
    release: bool = False  # is the release known, so that procs can be told current or stale?
    hosts: tuple[SeenHost, ...] = ()
    procs: tuple[SeenProc, ...] = ()
    nodes: frozenset[str] | None = frozenset()
    backups: frozenset[str] = frozenset()  # of the pool
    # The pool's nodes from before this dispatch first changed it; None while it hasn't.
    former: frozenset[str] | None = None
    has_former_pools: bool = False  # of another name or balancer, from before a change
    has_preview: bool = False  # is there a pool of held procs?
    preview: frozenset[str] | None = frozenset()  # its nodes; None: nobody knows
    waited_too_long: bool = False  # to be routed
    batched: int = 0  # how many procs the batches that are done have brought in
    tested: frozenset[Node] = frozenset()  # passed their uptests in this dispatch
    milestones: frozenset[Milestone] = frozenset()
    failed: bool = False


@dataclass(frozen=True)
class ChooseBuild:
    """Take a good build of the app at the tag, or begin one."""


@dataclass(frozen=True)
class AwaitBuild:
    """Nothing to do until the build has ended."""


@dataclass(frozen=True)
class MakeRelease:
    """Find or make the release of the build with the swarm's config."""


@dataclass(frozen=True)
class Deploy:
    """Give these ports to new procs and set the procs up on their hosts."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Start:
    """Wait until the procs are ready; with `running`, until Supervisor calls them RUNNING, too."""

    nodes: tuple[Node, ...]
    running: bool = False


@dataclass(frozen=True)
class Uptest:
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Preview:
    """Make the procs, which aren't routed yet, known to people by a pool of their own."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class EndPreview:
    """Remove that pool."""


@dataclass(frozen=True)
class Hold:
    """Nothing to do with the new procs until somebody has the dispatch routed or cancelled."""

    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Canary:
    """Watch and test these procs, which are routed beside the old ones, for as long as they are
    to be tried."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class NextBatch:
    """The batch is done, and with it `batched` procs altogether are in service for good."""

    batched: int


@dataclass(frozen=True)
class Route:
    """Make the pool exactly these nodes; none: the pool goes away. What was routed before stands
    by as `backups`."""

    nodes: tuple[Node, ...]
    backups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unroute:
    """Clean the pools that the swarm used before its pool or balancer was changed."""


@dataclass(frozen=True)
class Settle:
    """Watch the new procs for as long as they must stay up before old ones go."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Drain:
    """Take backups out of the pool, which is exactly `nodes`, and wait until nobody is served any
    more by what was routed before."""

    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True)
class RouteBack:
    """After a failure: make the pool what it was before this dispatch."""

    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Retire:
    """Stop procs and remove all that is left of them."""

    procs: tuple[SeenProc, ...]


@dataclass(frozen=True)
class Undo:
    """Remove the procs that this dispatch placed, as it failed, when requests to them have
    ended."""

    procs: tuple[SeenProc, ...]


@dataclass(frozen=True)
class Fail:
    """The dispatch can't go on; `procs` are those to blame, whose logs tell more."""

    reason: str
    hint: str = ""
    procs: tuple[SeenProc, ...] = ()


@dataclass(frozen=True)
class Finish:
    """All is done: with success, or undone after a failure."""

    kept: tuple[Node, ...] = ()
    silent_hosts: tuple[str, ...] = ()


PlannedStep = (
    ChooseBuild
    | AwaitBuild
    | MakeRelease
    | Deploy
    | Start
    | Uptest
    | Preview
    | Hold
    | EndPreview
    | Route
    | Canary
    | Unroute
    | Settle
    | Drain
    | RouteBack
    | Retire
    | Undo
    | NextBatch
    | Fail
    | Finish
)
