"""Start: waiting until procs are ready, and saying why one isn't."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence

from django.conf import settings

from vr.server.models import StepKind
from vr.server.swarming.observe import readiness
from vr.server.swarming.plan_types import Node, ProcState
from vr.server.swarming.problems import DispatchFailed
from vr.server.swarming.run import Run, side_by_side

_POLL_SECONDS = 0.02
_LOG_TAIL = 8000
# Supervisor may not have heard yet of a proc that was added a moment ago.
_UNKNOWN_SECONDS = 5.0


def wait_until_ready(run: Run, nodes: Sequence[Node]) -> None:
    """Wait for the procs on `nodes`, all hosts side by side.

    Raises DispatchFailed with the end of its log for a proc that dies or isn't ready within
    VR_START_SECONDS.
    """
    by_host: dict[str, list[int]] = defaultdict(list)
    for node in nodes:
        by_host[node.host].append(node.port)
    deadline = time.monotonic() + settings.START_SECONDS
    with run.journal.step(StepKind.START, f"0 of {len(nodes)} procs ready") as step:
        while True:
            run.lease.check()
            found = side_by_side(lambda item: _states(run, *item), by_host.items())
            states = {node: state for states in found for node, state in states.items()}
            ready = [node for node, state in states.items() if state is ProcState.READY]
            step.say(f"{len(ready)} of {len(nodes)} procs ready")
            if len(ready) == len(nodes):
                return
            _fail_if_hopeless(run, states, deadline)
            time.sleep(_POLL_SECONDS)


def _states(run: Run, host_name: str, ports: Sequence[int]) -> dict[Node, ProcState]:
    host = run.host(host_name)
    infos = host.supervisor.by_name()
    states = {}
    for port in ports:
        info = infos.get(str(run.proc_name(port)))
        states[Node(host_name, port)] = (
            readiness(info, host, port, run.listens) if info else ProcState.ABSENT
        )
    return states


def _fail_if_hopeless(run: Run, states: dict[Node, ProcState], deadline: float) -> None:
    now = time.monotonic()
    gone_is_final = now > deadline - settings.START_SECONDS + _UNKNOWN_SECONDS
    for node, state in states.items():
        if state is ProcState.DEAD or (state is ProcState.ABSENT and gone_is_final):
            raise blame(run, node, "died at start")
    if now > deadline:
        late = next(node for node, state in states.items() if state is not ProcState.READY)
        what = (
            f"did not accept connections on port {late.port} of {late.host}"
            if run.listens
            else "did not stay up"
        )
        raise blame(run, late, f"{what} within {settings.START_SECONDS:.0f} s")


def blame(run: Run, node: Node, what: str) -> DispatchFailed:
    """The error for the proc on `node`, with the end of its log."""
    host = run.host(node.host)
    name = str(run.proc_name(node.port))
    log = host.tail(host.root.proc(name).log, _LOG_TAIL).decode(errors="replace").strip()
    return DispatchFailed(f"{name} on {node.host} {what}.", details=log or "(its log is empty)")
