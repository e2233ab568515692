"""Running the uptests of one proc, wherever it came from."""

from __future__ import annotations

from vr.errors import VelociraptorError
from vr.hosts.connection import Command, HostConnection
from vr.hosts.connection import Result as Output
from vr.server.uptests.results import Result, parse

# The runner limits each script; this is for all scripts of a proc.
_SECONDS = 1800.0


def run(
    host: HostConnection, proc: str, *, runner: str = "vrun", seconds: float = _SECONDS
) -> list[Result]:
    """The results of the uptests of the proc named `proc` on `host`; [] if its app has none.

    `runner` is the command that set it up. Whatever keeps the tests from being run is a failed
    result, and so are tests that aren't done after `seconds`.
    """
    try:
        return _understood(host.run(_argv(host, proc, runner), timeout=seconds))
    except VelociraptorError as error:
        return parse(1, "", str(error))


class UnderWay:
    """The uptests of one proc that were begun, as `run` runs them; they hold no thread."""

    def __init__(
        self, host: HostConnection, proc: str, *, runner: str, seconds: float = _SECONDS
    ) -> None:
        self._command: Command | None = None
        self._problem = ""
        try:
            self._command = host.begin(_argv(host, proc, runner), timeout=seconds)
        except VelociraptorError as error:
            self._problem = str(error)

    def results(self) -> list[Result] | None:
        """As of `run`; None while they run."""
        if self._command is None:
            return parse(1, "", self._problem)
        try:
            done = self._command.poll()
        except VelociraptorError as error:
            return parse(1, "", str(error))
        return None if done is None else _understood(done)

    def close(self) -> None:
        """Say that nobody asks for them any more; those that still run end with their proc."""
        if self._command is not None:
            self._command.close()


def _argv(host: HostConnection, proc: str, runner: str) -> list[str]:
    return [host.tool(runner), "uptest", str(host.root.proc(proc).proc_yaml)]


def _understood(done: Output) -> list[Result]:
    return parse(
        done.status, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )
