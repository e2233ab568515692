"""Canary: some new procs serve beside all old ones, watched, and tested again and again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from vr.server.jobs.sliced import Sliced
from vr.server.models import StepKind
from vr.server.swarming.dispatch_row import DispatchRow
from vr.server.swarming.journal import Journal
from vr.server.swarming.steps.settling import watch
from vr.server.swarming.wanted import WantedProc
from vr.text.plurals import counted

# Between two rounds of uptests: a part of the whole time, but not less than this.
_PART, _SHORTEST = 10, 5.0


def try_out(
    row: DispatchRow,
    procs: Sequence[WantedProc],
    seconds: float,
    journal: Journal,
    *,
    listens: bool,
) -> Sliced[None]:
    """Watch the procs, which have passed their uptests a moment ago, until these are due again;
    once `seconds` have passed since the first time, all is done.

    Raises DispatchFailed with the end of its log for one that dies, is started again or does not
    take connections any more.
    """
    what = counted(len(procs), "new proc")
    message = f"{what} beside the old ones for {seconds:.0f} s"
    with journal.step(StepKind.CANARY, message) as step:
        now, end = timezone.now(), step.started + timedelta(seconds=seconds)
        if now >= end:
            step.say(f"{what} did well beside the old ones for {seconds:.0f} s")
            return
        pause = timedelta(seconds=max(seconds / _PART, _SHORTEST))
        yield from watch(row.dispatch, procs, min(now + pause, end), step, listens=listens)
        row.test_again()
        step.leave_open()
