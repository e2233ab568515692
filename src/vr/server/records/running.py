"""Which procs run where, as hosts last said, for those who must not leave any behind."""

from __future__ import annotations

from vr.server.events.announcing import proc_board
from vr.server.models import Host, Swarm
from vr.server.procs.survey import survey
from vr.specs.names import ProcName


def procs_on(host: Host) -> set[str]:
    """Names of the procs on `host`, other programs aside; redis.RedisError if that is unknown."""
    state = proc_board().read([host.name])[host.name]
    return {str(proc["name"]) for proc in state.procs if ProcName.parse(str(proc["name"]))}


def procs_of_swarm(swarm: Swarm) -> set[tuple[str, str]]:
    """(host, name) of what runs of `swarm`, wherever it is; redis.RedisError if that is unknown.

    Strays that are called like its procs count: nobody else would miss them.
    """
    found = survey()
    return {
        (host, str(proc["name"]))
        for host, state in found.states.items()
        for proc in state.procs
        if found.claims.may_be_of(swarm, host, str(proc["name"]))
    }
