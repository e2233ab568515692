"""The programs of the stack, as its Supervisor tells of them."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.states import ProcessStates

from vr.hosts.supervisor import Supervisor
from vr.up.config import Config

_STOPPED_STATES = {ProcessStates.STOPPED, ProcessStates.EXITED, ProcessStates.FATAL}
_FAILING_STATES = {ProcessStates.BACKOFF, ProcessStates.EXITED, ProcessStates.FATAL}
# Longer than for a host: nothing else is to be done while the stack's own is busy.
_SECONDS = 60.0


@dataclass(frozen=True)
class Part:
    """A program: one of the stack's own, or a deployed proc."""

    name: str
    state: int
    statename: str
    description: str
    logfile: str
    # 0 unless it runs.
    pid: int = 0

    @property
    def is_running(self) -> bool:
        return bool(self.state == ProcessStates.RUNNING)

    @property
    def is_stopped(self) -> bool:
        """It doesn't run, and supervisord won't start it of itself."""
        return self.state in _STOPPED_STATES

    @property
    def is_failing(self) -> bool:
        """It ended by itself; supervisord may try again."""
        return self.state in _FAILING_STATES


def supervisor_of(config: Config) -> Supervisor:
    """The Supervisor of the stack, whether it runs or not."""
    return Supervisor("this stack", f"unix://{config.supervisor_socket}", _SECONDS)


def parts_of(supervisor: Supervisor) -> list[Part]:
    """Every program that it knows; raises HostUnreachable."""
    return [
        Part(
            name=info["name"],
            state=info["state"],
            statename=info["statename"],
            description=info["description"],
            logfile=info["stdout_logfile"] or info["stderr_logfile"],
            pid=info["pid"],
        )
        for info in supervisor.all()
    ]
