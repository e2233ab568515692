"""Start: waiting until procs are ready, and saying why one isn't."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from vr.hosts.connection import HostConnection
from vr.hosts.crews import LOOKING
from vr.hosts.log_end import log_end
from vr.hosts.readiness import ProcState, is_running, spawn_of, state_of
from vr.hosts.supervisor import ProcessInfo
from vr.server.jobs.sliced import Sliced
from vr.server.models import StepKind
from vr.server.swarming.journal import Journal
from vr.server.swarming.problems import DispatchFailed
from vr.server.swarming.wanted import WantedProc, by_host
from vr.text.plurals import counted

_POLL_SECONDS = 0.02
# Supervisor may not have heard yet of a proc that was added a moment ago.
_UNKNOWN_SECONDS = 5.0

NoteSpawns = Callable[[Mapping[tuple[str, str], str]], None]


@dataclass(frozen=True)
class ProcSight:
    """A proc as its host shows it now; `info` is None if Supervisor doesn't know it."""

    proc: WantedProc
    state: ProcState
    info: ProcessInfo | None


States = Sequence[ProcSight]


def wait_until_ready(
    procs: Sequence[WantedProc],
    journal: Journal,
    *,
    listens: bool,
    running: bool = False,
    note: NoteSpawns = lambda _: None,
) -> Sliced[None]:
    """Wait for the procs, all hosts side by side. If they are to listen, a proc is ready when its
    port accepts connections; with `running`, when Supervisor calls it RUNNING besides. `note` is
    told of each proc's first process.

    Raises DispatchFailed with the end of its log for a proc that dies, starts again or isn't
    ready within VR_START_SECONDS.
    """
    groups = by_host(procs)
    spawns: dict[tuple[str, str], str] = {}
    began = time.monotonic()
    count = counted(len(procs), "proc")
    begun = f"looking once more at {count}" if running else f"0 of {count} ready"
    with journal.step(StepKind.START, begun) as step:
        while True:
            found = LOOKING.do(lambda group: look(group, listens), groups)
            states = [one for states in found for one in states]
            restarted = _note_spawns(found, spawns, note)
            if restarted is not None:
                raise blame(restarted.host, str(restarted), "ended and was started again")
            ready = sum(
                one.state is ProcState.READY and (is_running(one.info) or not running)
                for one in states
            )
            if ready == len(procs):
                step.say(f"{ready} of {count} {'stayed up' if running else 'ready'}")
                return
            if not running:
                step.say(f"{ready} of {count} ready")
            _fail_if_hopeless(states, time.monotonic() - began, listens)
            yield _POLL_SECONDS
            step.check()


def look(group: Sequence[WantedProc], listens: bool) -> States:
    """How far the procs of one host are."""
    host = group[0].host
    infos = host.supervisor.by_name()
    return [
        ProcSight(
            proc,
            state_of(info, host, proc.node.port, listens=listens)
            if (info := infos.get(str(proc)))
            else ProcState.ABSENT,
            info,
        )
        for proc in group
    ]


def _note_spawns(
    found: Sequence[States], spawns: dict[tuple[str, str], str], note: NoteSpawns
) -> WantedProc | None:
    """Note first processes; returns a proc that has another one by now."""
    new: dict[tuple[str, str], str] = {}
    for one in (sight for states in found for sight in states):
        key = (one.proc.node.host, str(one.proc))
        if one.info is None or not (spawn := spawn_of(one.info)):
            continue
        if key not in spawns:
            spawns[key] = new[key] = spawn
        elif spawns[key] != spawn:
            return one.proc
    if new:
        note(new)
    return None


def _fail_if_hopeless(states: States, waited: float, listens: bool) -> None:
    for proc, state in ((one.proc, one.state) for one in states):
        is_gone = state is ProcState.ABSENT and waited > _UNKNOWN_SECONDS
        if state is ProcState.DEAD or is_gone:
            raise blame(proc.host, str(proc), "died at start")
    if waited > settings.START_SECONDS:
        late = next(
            (one.proc for one in states if one.state is not ProcState.READY), states[0].proc
        )
        what = (
            f"did not accept connections on port {late.node.port} of {late.node.host}"
            if listens
            else "did not stay up"
        )
        raise blame(late.host, str(late), f"{what} within {settings.START_SECONDS:.0f} s")


def blame(host: HostConnection, proc: str, what: str) -> DispatchFailed:
    """The error for the proc of that name on `host`, with the end of its log."""
    return DispatchFailed(f"{proc} on {host.name} {what}.", details=log_end(host, proc))
