"""Which procs run where, as hosts last said, for those who must not leave any behind."""

from __future__ import annotations

from vr.events.procs import ProcBoard
from vr.server.events.announcing import redis_connection
from vr.server.models import Host, PortLease, Swarm
from vr.specs.names import ProcName


def procs_on(host: Host) -> set[str]:
    """Names of the procs on `host`, other programs aside; redis.RedisError if that is unknown."""
    state = ProcBoard(redis_connection()).read([host.name])[host.name]
    return {str(proc["name"]) for proc in state.procs if ProcName.parse(str(proc["name"]))}


def procs_of_swarm(swarm: Swarm) -> set[tuple[str, str]]:
    """(host, name) of what runs of `swarm`, wherever it is; redis.RedisError if that is unknown.

    All that is called like it, save what is another swarm's: by the lease of its port, or as that
    one has the same name and the host is of its squad.
    """
    squads = dict(Host.objects.values_list("name", "squad_id"))
    others = PortLease.objects.filter(swarm__isnull=False).exclude(swarm=swarm)
    leased = set(others.values_list("host__name", "proc"))
    namesakes = Swarm.objects.filter(
        app=swarm.app_id, config_name=swarm.config_name, proc_name=swarm.proc_name
    )
    their_squads = set(namesakes.exclude(pk=swarm.pk).values_list("squad", flat=True))
    parts = (swarm.app.name, swarm.config_name, swarm.proc_name)
    found = set()
    for host, state in ProcBoard(redis_connection()).read(sorted(squads)).items():
        for proc in state.procs:
            name = ProcName.parse(str(proc["name"]))
            if name is None or (name.app, name.config, name.proc) != parts:
                continue
            where = (host, str(name))
            if where not in leased and squads[host] not in their_squads:
                found.add(where)
    return found
