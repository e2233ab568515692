"""Start: waiting until procs are ready, and saying why one isn't."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.conf import settings

from vr.hosts.connection import HostConnection
from vr.hosts.crews import LOOKING
from vr.hosts.readiness import ProcState, state_of
from vr.server.models import StepKind
from vr.server.swarming.journal import Journal
from vr.server.swarming.problems import DispatchFailed
from vr.server.swarming.wanted import WantedProc, by_host
from vr.text.plurals import counted

_POLL_SECONDS = 0.02
_LOG_TAIL = 8000
# Supervisor may not have heard yet of a proc that was added a moment ago.
_UNKNOWN_SECONDS = 5.0

States = Sequence[tuple[WantedProc, ProcState]]


def wait_until_ready(procs: Sequence[WantedProc], journal: Journal, *, listens: bool) -> None:
    """Wait for the procs, all hosts side by side. If they are to listen, a proc is ready when its
    port accepts connections.

    Raises DispatchFailed with the end of its log for a proc that dies or isn't ready within
    VR_START_SECONDS.
    """
    groups = by_host(procs)
    began = time.monotonic()
    with journal.step(StepKind.START, f"0 of {counted(len(procs), 'proc')} ready") as step:
        while True:
            found = LOOKING.do(lambda group: _states(group, listens), groups)
            states = [one for states in found for one in states]
            ready = sum(state is ProcState.READY for _, state in states)
            step.say(f"{ready} of {counted(len(procs), 'proc')} ready")
            if ready == len(procs):
                return
            _fail_if_hopeless(states, time.monotonic() - began, listens)
            time.sleep(_POLL_SECONDS)


def _states(group: Sequence[WantedProc], listens: bool) -> States:
    """How far the procs of one host are."""
    host = group[0].host
    infos = host.supervisor.by_name()
    return [
        (
            proc,
            state_of(info, host, proc.node.port, listens=listens)
            if (info := infos.get(str(proc)))
            else ProcState.ABSENT,
        )
        for proc in group
    ]


def _fail_if_hopeless(states: States, waited: float, listens: bool) -> None:
    for proc, state in states:
        is_gone = state is ProcState.ABSENT and waited > _UNKNOWN_SECONDS
        if state is ProcState.DEAD or is_gone:
            raise blame(proc.host, str(proc), "died at start")
    if waited > settings.START_SECONDS:
        late = next(proc for proc, state in states if state is not ProcState.READY)
        what = (
            f"did not accept connections on port {late.node.port} of {late.node.host}"
            if listens
            else "did not stay up"
        )
        raise blame(late.host, str(late), f"{what} within {settings.START_SECONDS:.0f} s")


def blame(host: HostConnection, proc: str, what: str) -> DispatchFailed:
    """The error for the proc of that name on `host`, with the end of its log."""
    log = host.tail(host.root.proc(proc).log, _LOG_TAIL).decode(errors="replace").strip()
    return DispatchFailed(f"{proc} on {host.name} {what}.", details=log or "(its log is empty)")
