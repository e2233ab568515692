"""What every loop of the pilot needs, handed around as one."""

from __future__ import annotations

from vr.pilot.durations import go_duration
from vr.pilot.errors import CannotStart
from vr.pilot.futures import TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vr.pilot.log import Log
    from vr.pilot.loop import Loop
    from vr.pilot.processes import Processes
    from vr.pilot.stats import Stats


class World:
    """`environ` is what hooks and the application see; it grows while the pilot runs."""

    def __init__(
        self, loop: Loop, log: Log, processes: Processes, stats: Stats, environ: dict[str, str]
    ) -> None:
        self.loop = loop
        self.log = log
        self.processes = processes
        self.stats = stats
        self.environ = environ
        # While in maintenance all loops skip their work.
        self.maintenance = False

    async def check(
        self, kind: str, name: str, argv: Sequence[str], timeout: float, stdout: int | None = None
    ) -> bool:
        """Run a program that has to succeed; whatever keeps it from that is logged.

        `kind` is health, onChange, task or sensor.
        """
        try:
            ended = await self.processes.run(argv, self.environ, timeout, stdout)
        except TimedOut:
            self.log.warning(f"{name} timeout after {go_duration(timeout)}", process=kind)
            self.stats.checks.add(kind=kind, name=name, result="timeout")
            return False
        except CannotStart as error:
            self.log.error(f"{error}", process=kind, name=name)
            self.stats.checks.add(kind=kind, name=name, result="failed")
            return False
        if not ended.ok:
            self.log.error(f"{ended}", process=kind, name=name)
        self.stats.checks.add(kind=kind, name=name, result="passed" if ended.ok else "failed")
        return ended.ok
