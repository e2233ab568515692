"""Tasks, which run again and again, and coprocesses, which run beside."""

from __future__ import annotations

from vr.pilot.errors import CannotStart
from vr.pilot.ticker import Ticker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vr.pilot.config import Coprocess, PeriodicTask
    from vr.pilot.world import World

# Between two runs of a coprocess, in seconds; a run that lasted longer than the latter starts
# with the former again.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0


async def run_task(world: World, task: PeriodicTask) -> None:
    """Run it every `frequency`, never two at once, not during maintenance."""
    ticker = Ticker(world.loop, task.frequency)
    while True:
        await ticker.wait()
        if not world.maintenance:
            await world.check("task", task.name, task.command, task.timeout)


async def run_coprocess(world: World, coprocess: Coprocess) -> None:
    """Run it, and again as often as it may be restarted; ends after the last run."""
    left = coprocess.restarts
    pause = _FIRST_PAUSE
    while True:
        started = world.loop.time()
        try:
            ended = await world.processes.run(coprocess.command, world.environ)
            world.log.info(f"coprocess {coprocess.name} exited: {ended}", process="coprocess")
        except CannotStart as error:
            world.log.error(f"{error}", process="coprocess", name=coprocess.name)
        if left == 0:
            return
        if left is not None:
            left -= 1
        if world.loop.time() - started > _LONGEST_PAUSE:
            pause = _FIRST_PAUSE
        await world.loop.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
