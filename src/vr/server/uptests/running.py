"""Running the uptests of one proc, wherever it came from."""

from __future__ import annotations

from vr.errors import VelociraptorError
from vr.hosts.connection import HostConnection
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
    argv = [host.tool(runner), "uptest", str(host.root.proc(proc).proc_yaml)]
    try:
        done = host.run(argv, timeout=seconds)
    except VelociraptorError as error:
        return parse(1, "", str(error))
    return parse(
        done.status, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )
