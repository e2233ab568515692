"""What runs on all hosts, as they last said, and whose it is: read once for all who ask at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vr.events.procs import HostState, Proc
from vr.server.events.announcing import proc_board
from vr.server.joint_reads import JointReads
from vr.server.procs.ownership import Claims, Unowned, read_claims


@dataclass(frozen=True)
class Survey:
    """All procs by their owner: a swarm's id → its procs; strays and foreign ones by themselves.

    Shared by all who read it: nobody may change it.
    """

    states: Mapping[str, HostState]
    claims: Claims
    owned: Mapping[int, Sequence[Proc]]
    strays: Sequence[Proc]
    foreign: Sequence[Proc]


def divide(states: Mapping[str, HostState], claims: Claims) -> Survey:
    """Give each proc to its owner. Pure."""
    owned: dict[int, list[Proc]] = defaultdict(list)
    unowned: dict[Unowned, list[Proc]] = {kind: [] for kind in Unowned}
    for host, state in states.items():
        for proc in state.procs:
            owner = claims.owner(host, proc["name"])
            (unowned[owner] if isinstance(owner, Unowned) else owned[owner]).append(proc)
    return Survey(states, claims, dict(owned), unowned[Unowned.STRAY], unowned[Unowned.FOREIGN])


def survey() -> Survey:
    """As things are now; raises redis.RedisError if what hosts said can't be read."""
    return _joint.fresh(None)


def _read(_: None) -> Survey:
    claims = read_claims()
    return divide(proc_board().read(sorted(claims.squads)), claims)


_joint = JointReads(_read)
