"""Uptests of a swarm's proc, wherever in its life it is."""

from __future__ import annotations

from vr.hosts.connection import HostConnection
from vr.server.models import Release, Swarm
from vr.server.procs.proc_yaml import runner_of
from vr.server.uptests import running
from vr.server.uptests.http_check import check_of
from vr.server.uptests.results import Result
from vr.specs.names import ProcName

# Nobody waits longer for all scripts of a proc that serves.
SECONDS = 300.0


def run(swarm: Swarm, connection: HostConnection, name: ProcName) -> list[Result]:
    """What the uptests of the swarm's proc `name` say, else the page that it must answer; [] if
    there is neither."""
    release = Release.objects.select_related("build__image").filter(hash=name.hash).first()
    runner = runner_of(release) if release else "vrun"
    results = running.run(connection, str(name), runner=runner, seconds=SECONDS)
    if not results and (check := check_of(swarm)):
        results = check.run(connection, str(name), name.port)
    return results
