"""What pages show of uptests: the last result of each proc."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from vr.server.models import PortLease, Swarm
from vr.server.uptests import recording
from vr.server.uptests.results import describe_failures
from vr.specs.names import ProcName

_SHOWN = 50


@dataclass(frozen=True)
class LastUptests:
    """Of one proc. `when` is None for one that was never tested; `output`: of those that failed."""

    host: str
    proc: str
    when: datetime | None = None
    passed: bool = False
    count: int = 0
    output: str = ""

    @property
    def place(self) -> str:
        """Where it is, by which one tells a swarm's procs apart: `host:port`, or its name."""
        name = ProcName.parse(self.proc)
        return f"{self.host}:{name.port}" if name and name.port else f"{self.host} {self.proc}"

    @property
    def badge(self) -> str:
        """Its colour class."""
        return "idle" if self.when is None else "ok" if self.passed else "bad"

    @property
    def outcome(self) -> str:
        return "never run" if self.when is None else "passed" if self.passed else "failed"


def of_swarm(swarm: Swarm) -> list[LastUptests]:
    """Of the swarm's procs, those that failed first; of large swarms, not of all."""
    leases = PortLease.objects.filter(swarm=swarm).order_by("host__name", "proc")
    found = of_procs(leases.values_list("host__name", "proc"))
    return sorted(found, key=lambda one: one.when is not None and one.passed)[:_SHOWN]


def of_procs(procs: Collection[tuple[str, str]]) -> list[LastUptests]:
    """Of each of the procs, given as host and full name."""
    latest = recording.latest(procs)
    return [
        LastUptests(
            *place,
            when=result.time,
            passed=result.passed,
            count=result.testcount,
            output=describe_failures(result.results),
        )
        if (result := latest.get(place))
        else LastUptests(*place)
        for place in procs
    ]
