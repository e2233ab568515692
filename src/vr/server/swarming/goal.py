"""What one dispatch is to bring about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from django.conf import settings

from vr.server.models import Dispatch, Host, Release, Swarm
from vr.server.swarming.plan_types import Intent
from vr.server.swarming.pools import Pool, pool_of
from vr.server.uptests.http_check import HttpCheck, check_of
from vr.specs.names import ProcName


@dataclass(frozen=True)
class Goal:
    """Read once, when a worker takes the dispatch up: edits of the swarm meanwhile are for the
    next one. `squad` has the squad's hosts by name."""

    swarm: Swarm
    tag: str
    size: int
    squad: Mapping[str, Host]
    pool: Pool | None
    ports: range
    first_port: int
    holds: bool
    canary: int
    canary_seconds: int
    batch: int

    @property
    def listens(self) -> bool:
        """Must the procs accept connections on their port to be ready?"""
        return self.pool is not None or self.swarm.proc_name == "web"

    @property
    def intent(self) -> Intent:
        """As much of it as the planner wants to know."""
        return Intent(
            size=self.size,
            routed=self.pool is not None,
            ports=self.ports,
            first_port=self.first_port,
            settles=self.settle_seconds > 0,
            holds=self.holds,
            canary=self.canary,
            batch=self.batch,
            squad=f"the squad {self.swarm.squad.name}",
        )

    @property
    def settle_seconds(self) -> int:
        """How long new procs must stay up before old ones go."""
        own = self.swarm.settle_seconds
        seconds: int = settings.SETTLE_SECONDS if own is None else own
        return seconds

    @property
    def check(self) -> HttpCheck | None:
        """What procs without uptests are asked, if anything."""
        return check_of(self.swarm)

    def proc_name(self, release: Release, port: int) -> ProcName:
        """The name of the swarm's proc of `release` on that port."""
        build, swarm = release.build, self.swarm
        return ProcName(
            build.app.name, build.tag, swarm.config_name, release.hash, swarm.proc_name, port
        )


def goal_of(dispatch: Dispatch) -> Goal:
    """The goal of `dispatch`, whose swarm's app and squad have been fetched."""
    ports = settings.PORT_RANGE
    return Goal(
        swarm=dispatch.swarm,
        tag=dispatch.tag,
        size=dispatch.size,
        squad={host.name: host for host in dispatch.swarm.squad.hosts.all()},
        pool=pool_of(dispatch.swarm),
        ports=ports,
        # Differs from dispatch to dispatch, stays the same within one.
        first_port=ports[crc32(dispatch.trace_id.encode()) % len(ports)],
        holds=dispatch.hold and dispatch.route_asked is None,
        canary=dispatch.canary,
        canary_seconds=dispatch.canary_seconds,
        batch=dispatch.batch,
    )
