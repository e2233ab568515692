"""Which procs run where, as hosts last said, for those who must not leave any behind."""

from __future__ import annotations

from vr.events.procs import ProcBoard
from vr.server.events.announcing import redis_connection
from vr.server.models import Host, Swarm
from vr.server.procs.ownership import read_claims
from vr.specs.names import ProcName


def procs_on(host: Host) -> set[str]:
    """Names of the procs on `host`, other programs aside; redis.RedisError if that is unknown."""
    state = ProcBoard(redis_connection()).read([host.name])[host.name]
    return {str(proc["name"]) for proc in state.procs if ProcName.parse(str(proc["name"]))}


def procs_of_swarm(swarm: Swarm) -> set[tuple[str, str]]:
    """(host, name) of what runs of `swarm`, wherever it is; redis.RedisError if that is unknown.

    Strays that are called like its procs count: nobody else would miss them.
    """
    claims = read_claims()
    board = ProcBoard(redis_connection()).read(sorted(claims.squads))
    return {
        (host, str(proc["name"]))
        for host, state in board.items()
        for proc in state.procs
        if claims.may_be_of(swarm, host, str(proc["name"]))
    }
