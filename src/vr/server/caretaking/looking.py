"""What the caretaker sees: of hosts, what their Supervisors say; of the database, what is wanted
and what was tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from supervisor.states import ProcessStates

from vr.hosts.crews import LOOKING
from vr.hosts.readiness import spawn_of
from vr.hosts.stopping import stays_down
from vr.hosts.supervisor import HostUnreachable, ProcessInfo, SupervisorFault
from vr.server.caretaking.mending import Condition, History, Key, Seen, Sight, Wanted
from vr.server.hosts import connect
from vr.server.models import PortLease, Told
from vr.server.swarming.asking import swarms_with_busy_procs
from vr.specs.names import ProcName

# Supervisor starts what has exited by itself, unless it has been told otherwise.
_EXITED_SECONDS = 10


@dataclass(frozen=True)
class Kept:
    """A proc that its swarm wants, with what is remembered of it. `lease_id`: of its port."""

    lease_id: int
    wanted: Wanted
    history: History
    is_loop_told: bool = False
    told: str = Told.NOTHING

    @property
    def host(self) -> str:
        return self.wanted.key.host


def read_wanted() -> list[Kept]:
    """The procs of what each swarm serves, on all hosts."""
    busy = swarms_with_busy_procs()
    rows = PortLease.objects.filter(swarm__release__isnull=False).values_list(
        *("pk", "host__name", "proc", "spawn", "swarm_id", "swarm__release__hash"),
        *("health__status", "health__spawn", "health__tries", "health__due", "health__is_stopped"),
        *("health__is_loop_told", "health__told"),
    )
    found = []
    for pk, host, proc, first_spawn, swarm, serving, *remembered in rows:
        status, spawn, tries, due, stopped, loop_told, told = remembered
        name = ProcName.parse(proc)
        if name is None or name.hash != serving:
            continue
        wanted = Wanted(Key(host, proc), is_stopped=bool(stopped), is_busy=swarm in busy)
        history = (
            History(spawn=first_spawn)
            if status is None
            else History(Condition(status), spawn, tries, _unix(due))
        )
        found.append(Kept(pk, wanted, history, bool(loop_told), told or Told.NOTHING))
    return found


def look(hosts: Sequence[str]) -> dict[str, Mapping[str, Sight]]:
    """What runs on each of the hosts, side by side; those that don't answer are left out."""
    looks = LOOKING.do(_look, hosts)
    return {host: seen for host, seen in zip(hosts, looks, strict=True) if seen is not None}


def sight_of(info: ProcessInfo) -> Sight:
    """How a process that Supervisor knows looks to the caretaker. Pure."""
    return Sight(_seen(info), spawn_of(info), float(info["now"] - info["start"]))


def _look(host: str) -> Mapping[str, Sight] | None:
    try:
        infos = connect(host).supervisor.by_name()
    except (HostUnreachable, SupervisorFault):
        return None
    return _sights(infos.items())


def _sights(infos: Iterable[tuple[str, ProcessInfo]]) -> Mapping[str, Sight]:
    return {name: sight_of(info) for name, info in infos if ProcName.parse(name)}


def _seen(info: ProcessInfo) -> Seen:
    match info["state"]:
        case ProcessStates.RUNNING:
            return Seen.UP
        case ProcessStates.STOPPED:
            return Seen.STOPPED if stays_down(info) else Seen.TRYING
        case ProcessStates.EXITED:
            is_between = info["now"] - info["stop"] < _EXITED_SECONDS
            return Seen.TRYING if is_between else Seen.DOWN
        case ProcessStates.FATAL | ProcessStates.UNKNOWN:
            return Seen.DOWN
        case _:
            return Seen.TRYING


def _unix(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
