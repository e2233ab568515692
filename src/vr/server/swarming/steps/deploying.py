"""Deploy: ports are leased first, so that nobody else takes them, then hosts get their procs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vr.hosts import deployment
from vr.hosts.connection import HostConnection
from vr.hosts.crews import LOOKING, SETTING_UP
from vr.hosts.deployment import ProcFile
from vr.server.events.kinds import Kind
from vr.server.jobs.sliced import Sliced
from vr.server.models import Dispatch, Host, Release, StepKind
from vr.server.procs import ports
from vr.server.procs.proc_yaml import proc_file
from vr.server.swarming.journal import Journal
from vr.server.swarming.problems import DispatchFailed, ForeignPorts, PlanAgain
from vr.server.swarming.wanted import WantedProc, by_host
from vr.text.plurals import counted


def deploy(
    dispatch: Dispatch,
    release: Release,
    procs: Sequence[WantedProc],
    rows: Mapping[str, Host],
    journal: Journal,
) -> Sliced[None]:
    """Set the procs of `release` up and let Supervisor start them, hosts side by side. `dispatch`
    owns their ports; `rows` are the hosts' by name.

    Raises ForeignPorts or PlanAgain if another program or dispatch has taken one of the ports,
    DispatchFailed with the runner's output if a proc can't be set up.
    """
    with journal.step(StepKind.DEPLOY, f"deploying {counted(len(procs), 'proc')}") as step:
        _check_ports(procs, ports.leased_by(dispatch))
        try:
            places = [(rows[proc.node.host], proc.node.port, str(proc)) for proc in procs]
            ports.lease_to(dispatch, places)
        except ports.PortTaken as taken:
            raise PlanAgain(str(taken)) from None
        groups = by_host(procs)
        hosts = ", ".join(group[0].node.host for group in groups)
        journal.event(
            f"{journal.swarm}: deploying",
            f"Deploying {', '.join(map(str, procs))} to {hosts}.",
            kind=Kind.PROCS_DEPLOYING,
        )
        work = [
            (group[0].host, [proc_file(release, proc.name, proc.node.host) for proc in group])
            for group in groups
        ]
        # To its end, whatever happens: what is set up while it is undone would stay.
        job = SETTING_UP.begin(lambda item: _deploy_on(*item), work)
        yield from job.watched(lambda: None)
        step.say(f"{counted(len(procs), 'proc')} deployed to {hosts}")


def _deploy_on(host: HostConnection, files: Sequence[ProcFile]) -> None:
    try:
        deployment.deploy(host, files)
    except deployment.DeployFailed as error:
        raise DispatchFailed(error.message, hint=error.hint, details=error.details) from None


def _check_ports(procs: Sequence[WantedProc], ours: set[tuple[str, int]]) -> None:
    """Foreign programs listen where they like; ours are known by their leases."""
    new = [proc for proc in procs if (proc.node.host, proc.node.port) not in ours]
    free = LOOKING.do(lambda proc: proc.host.is_free(proc.node.port), new)
    taken = [proc.node for proc, is_free in zip(new, free, strict=True) if not is_free]
    if taken:
        raise ForeignPorts(taken)
