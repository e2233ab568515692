"""What a web proc without uptests is asked before it is routed: one page."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vr.hosts.connection import HostConnection
from vr.hosts.log_end import log_end
from vr.server.models import Swarm
from vr.server.uptests.results import Result
from vr.specs.statuses import parse_statuses

NAME = "http check"
_SECONDS = 10.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class HttpCheck:
    """The proc must answer `path` with one of `statuses`."""

    path: str
    statuses: frozenset[int]

    def run(self, host: HostConnection, proc: str, port: int) -> list[Result]:
        """One result, of the proc named `proc`; one that failed has the end of its log.

        Asked again for some seconds, as apps may open their port before they are ready.
        """
        began = time.monotonic()
        while True:
            status, more = host.ask(port, self.path)
            seconds = time.monotonic() - began
            passed = status in self.statuses
            if passed or seconds > _SECONDS:
                break
            time.sleep(_POLL_SECONDS)
        said = f"GET {self.path} on port {port}: {status or more}"
        if not passed:
            said += f", {more}" if status and more else ""
            said += (
                "\nThe swarm's check_path and check_statuses say what is asked and expected; "
                "an empty check_path asks nothing.\n\n"
                f"The end of its log:\n{log_end(host, proc)}"
            )
        return [{"Name": NAME, "Passed": passed, "Output": said, "Duration": round(seconds, 3)}]


def check_of(swarm: Swarm) -> HttpCheck | None:
    """What procs of the swarm are asked if they have no uptests, if anything."""
    if swarm.proc_name != "web" or not swarm.check_path:
        return None
    return HttpCheck(swarm.check_path, parse_statuses(swarm.check_statuses))
