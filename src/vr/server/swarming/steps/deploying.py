"""Deploy: ports are leased first, so that nobody else takes them, then hosts get their procs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from vr.hosts import deployment
from vr.server.events.kinds import Kind
from vr.server.models import PortLease, StepKind
from vr.server.swarming.plan_types import Node
from vr.server.swarming.problems import DispatchFailed, PlanAgain
from vr.server.swarming.proc_yaml import proc_file
from vr.server.swarming.run import Run, side_by_side
from vr.text.plurals import counted


def deploy(run: Run, nodes: Sequence[Node]) -> None:
    """Set up a proc on each node and let Supervisor start it, hosts side by side.

    Raises PlanAgain if another dispatch or program has taken one of the ports, DispatchFailed
    with the runner's output if a proc can't be set up.
    """
    with run.journal.step(StepKind.DEPLOY, f"deploying {counted(len(nodes), 'proc')}") as step:
        _check_ports(run, nodes)
        _lease_ports(run, nodes)
        by_host: dict[str, list[Node]] = defaultdict(list)
        for node in nodes:
            by_host[node.host].append(node)
        names = ", ".join(str(run.proc_name(node.port)) for node in nodes)
        run.journal.event(
            f"{run.swarm.name}: deploying",
            f"Deploying {names} to {', '.join(sorted(by_host))}.",
            kind=Kind.PROCS_DEPLOYING,
        )
        side_by_side(lambda item: _deploy_on(run, *item), by_host.items())
        step.say(f"{counted(len(nodes), 'proc')} deployed to {', '.join(sorted(by_host))}")


def _deploy_on(run: Run, host_name: str, nodes: Sequence[Node]) -> None:
    files = [proc_file(run.release, run.proc_name(node.port), host_name) for node in nodes]
    try:
        deployment.deploy(run.host(host_name), files)
    except deployment.DeployFailed as error:
        raise DispatchFailed(error.message, hint=error.hint, details=error.details) from None


def _check_ports(run: Run, nodes: Sequence[Node]) -> None:
    """Foreign programs listen where they like; ours are known by their leases."""
    ours = set(PortLease.objects.filter(dispatch=run.dispatch).values_list("host__name", "port"))
    taken = [
        node
        for node in nodes
        if (node.host, node.port) not in ours and not run.host(node.host).is_free(node.port)
    ]
    for node in taken:
        run.foreign_ports[node.host] |= {node.port}
    if taken:
        raise PlanAgain(f"{', '.join(map(str, taken))} is taken by a foreign program")


def _lease_ports(run: Run, nodes: Sequence[Node]) -> None:
    """One owner per port, from before its proc is deployed until it is retired."""
    try:
        with transaction.atomic():
            for node in nodes:
                lease, is_new = PortLease.objects.get_or_create(
                    host=run.squad_hosts[node.host],
                    port=node.port,
                    defaults={
                        "swarm": run.swarm,
                        "dispatch": run.dispatch,
                        "proc": str(run.proc_name(node.port)),
                    },
                )
                if not is_new and lease.dispatch_id != run.dispatch.pk:
                    raise PlanAgain(f"port {node.port} of {node.host} was taken meanwhile")
    except IntegrityError:
        raise PlanAgain("a port was taken meanwhile") from None
