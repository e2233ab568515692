"""What is done to procs on a host. Each operation may be repeated after being cut off anywhere.

Order matters for that: a proc's folder is complete before Supervisor hears of it, and Supervisor
has forgotten it before the folder goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vr.errors import VelociraptorError
from vr.hosts import proc_conf
from vr.hosts.connection import HostConnection
from vr.hosts.crews import SETTING_UP, TEARING_DOWN
from vr.hosts.stopping import stop

SETUP_SECONDS = 1800.0
TEARDOWN_SECONDS = 120.0
# A setup that a killed worker left behind still holds the lock for a while.
LOCK_SECONDS = 300
# For what Supervisor needs on top of the app's own time to stop.
_PATIENCE = 10
_REMOVE_ATTEMPTS = 5


class DeployFailed(VelociraptorError):
    """A proc could not be set up; `details` is the runner's output."""


@dataclass(frozen=True)
class ProcFile:
    """A proc to deploy: its name, the text of its proc.yaml, and which runner reads it."""

    name: str
    proc_yaml: str
    runner: str = "vrun"
    stop_timeout: int = proc_conf.STOP_TIMEOUT
    rotation: proc_conf.Rotation = proc_conf.ROTATION


def deploy(host: HostConnection, procs: Sequence[ProcFile]) -> None:
    """Set up the procs' folders side by side and let Supervisor start them.

    Raises DeployFailed with the runner's output; the procs then need `retire`.
    """
    known = host.supervisor.by_name()
    new = [proc for proc in procs if proc.name not in known]
    SETTING_UP.do(lambda proc: _set_up(host, proc), new)
    if new:
        host.supervisor.reload()
        for proc in new:
            host.supervisor.add(proc.name)


def _set_up(host: HostConnection, proc: ProcFile) -> None:
    paths = host.root.proc(proc.name)
    runner = host.tool(proc.runner)
    # Apps may write secrets into their logs.
    host.make_folder(paths.folder, 0o700)
    host.write(paths.proc_yaml, proc.proc_yaml, 0o600)
    result = host.run(
        [runner, "setup", str(paths.proc_yaml), "--wait", str(LOCK_SECONDS)],
        timeout=SETUP_SECONDS,
    )
    if result.status != 0:
        raise DeployFailed(
            f"{proc.name} could not be set up on {host.name}.", details=result.output
        )
    # The launcher that setup leaves spares each start an interpreter.
    command = (
        [str(paths.launcher)]
        if host.exists(paths.launcher)
        else [runner, "run", str(paths.proc_yaml)]
    )
    text = proc_conf.render(
        proc.name, paths, command, stop_timeout=proc.stop_timeout, rotation=proc.rotation
    )
    host.write(paths.supervisor_conf, text, 0o600)


def retire(
    host: HostConnection, names: Iterable[str], *, stop_timeout: float = proc_conf.STOP_TIMEOUT
) -> None:
    """Stop the procs and remove all that is left of them; those already gone are fine.

    Raises VelociraptorError naming procs that don't stop, or what the runner said.
    """
    names = sorted(set(names))
    # First, so that a supervisord that starts anew meanwhile doesn't bring them back.
    for name in names:
        host.remove(host.root.proc(name).supervisor_conf)
    _forget(host, names, stop_timeout + _PATIENCE)
    TEARING_DOWN.do(lambda name: _tear_down(host, name), names)


def _forget(host: HostConnection, names: Sequence[str], timeout: float) -> None:
    """Stop the procs and make Supervisor forget them, also one that it starts in between."""
    left = list(names)
    for _ in range(_REMOVE_ATTEMPTS):
        stop(host, left, timeout=timeout)
        left = [name for name in left if not host.supervisor.remove(name)]
        if not left:
            return
    raise VelociraptorError(f"{', '.join(left)} on {host.name} start again whenever stopped.")


def _tear_down(host: HostConnection, name: str) -> None:
    paths = host.root.proc(name)
    if host.exists(paths.proc_yaml):
        result = host.run(
            [host.tool("vrun"), "teardown", str(paths.proc_yaml)], timeout=TEARDOWN_SECONDS
        )
        if result.status != 0:
            raise VelociraptorError(
                f"{name} could not be torn down on {host.name}.", details=result.output
            )
    host.remove(paths.folder)
