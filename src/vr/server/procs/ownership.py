"""Whose a proc is: the one answer that pages, API and the swarm engine give.

A port's lease decides where it names a swarm, so that a proc stays its swarm's when the swarm is
renamed or the host leaves its squad. Others are a swarm's by name: of its app, config and proc
name, on a host of its squad.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from vr.server.models import Host, PortLease, Swarm
from vr.specs.names import ProcName


class Unowned(Enum):
    """Why a proc is no swarm's."""

    STRAY = "stray"  # ours by its name, but of no swarm
    FOREIGN = "foreign"  # another program that the host's Supervisor runs


Owner = int | Unowned


@dataclass(frozen=True)
class Claims:
    """What decides whose a proc is.

    `leased`: (host, proc) → the swarm that owns its port. `named`: (squad, app, config name,
    proc name) → the swarm called so. `squads`: host → its squad. Swarms and squads by their id.
    """

    leased: Mapping[tuple[str, str], int] = field(default_factory=dict)
    named: Mapping[tuple[int, str, str, str], int] = field(default_factory=dict)
    squads: Mapping[str, int | None] = field(default_factory=dict)

    def owner(self, host: str, proc: str) -> Owner:
        """The id of the swarm that the proc named `proc` on `host` belongs to, or why of none."""
        if (leased := self.leased.get((host, proc))) is not None:
            return leased
        name = ProcName.parse(proc)
        if name is None:
            return Unowned.FOREIGN
        squad = self.squads.get(host)
        if squad is None:
            return Unowned.STRAY
        return self.named.get((squad, name.app, name.config, name.proc), Unowned.STRAY)

    def may_be_of(self, swarm: Swarm, host: str, proc: str) -> bool:
        """Is the proc the swarm's, or nobody's but called like the swarm's own?"""
        owner = self.owner(host, proc)
        if owner is not Unowned.STRAY:
            return owner == swarm.pk
        name = ProcName.parse(proc)
        own = (swarm.app.name, swarm.config_name, swarm.proc_name)
        return name is not None and (name.app, name.config, name.proc) == own

    def swarm_name(self, host: str, proc: str) -> str | None:
        """What the swarm that the proc belongs to is called now; None for a proc of none."""
        owner = self.owner(host, proc)
        return None if isinstance(owner, Unowned) else self._names.get(owner)

    @cached_property
    def _names(self) -> dict[int, str]:
        return {
            swarm: f"{app}-{config}-{proc}" for (_, app, config, proc), swarm in self.named.items()
        }


def claims_of(swarm: Swarm, hosts: Iterable[str], leases: Iterable[PortLease]) -> Claims:
    """The claims that tell procs of `swarm` from all others, which seem to be strays: by the
    names of its squad's hosts, and by the leases there and of its own."""
    squad, app = swarm.squad_id, swarm.app.name
    return Claims(
        leased={
            (lease.host.name, lease.proc): lease.swarm_id
            for lease in leases
            if lease.swarm_id is not None
        },
        named={(squad, app, swarm.config_name, swarm.proc_name): swarm.pk},
        squads=dict.fromkeys(hosts, squad),
    )


def read_claims(host: str | None = None) -> Claims:
    """The claims of all swarms as the database has them now; on one host only, if it is named."""
    leases, swarms = PortLease.objects.filter(swarm__isnull=False), Swarm.objects.order_by()
    hosts = Host.objects.all()
    if host is not None:
        leases, hosts = leases.filter(host__name=host), hosts.filter(name=host)
        swarms = swarms.filter(squad__hosts__name=host)
    return Claims(
        leased={
            (name, proc): swarm
            for name, proc, swarm in leases.values_list("host__name", "proc", "swarm_id")
            if swarm is not None
        },
        named={
            (squad, app, config, proc): swarm
            for squad, app, config, proc, swarm in swarms.values_list(
                "squad_id", "app__name", "config_name", "proc_name", "pk"
            )
        },
        squads=dict(hosts.values_list("name", "squad_id")),
    )
