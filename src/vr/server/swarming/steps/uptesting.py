"""Uptest: every proc proves itself before it is routed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from django.db import transaction

from vr.hosts.crews import TESTING
from vr.server.events.kinds import Kind
from vr.server.jobs.sliced import Sliced
from vr.server.models import Dispatch, Release, StepKind
from vr.server.procs.proc_yaml import runner_of
from vr.server.swarming.journal import Journal
from vr.server.swarming.problems import DispatchFailed
from vr.server.swarming.wanted import WantedProc
from vr.server.uptests import http_check, recording
from vr.server.uptests.http_check import HttpCheck
from vr.server.uptests.results import Result, describe_failures, have_passed
from vr.server.uptests.running import UnderWay
from vr.text.plurals import counted

# Of one dispatch: each test is a container.
_SIDE_BY_SIDE = 8
# How soon they are looked at again: the longer they last, the later.
_FIRST_PAUSE, _LONGEST_PAUSE, _PART = 0.02, 0.5, 0.05

Outcomes = Sequence[tuple[WantedProc, list[Result]]]


def uptest(
    dispatch: Dispatch,
    release: Release,
    procs: Sequence[WantedProc],
    journal: Journal,
    *,
    check: HttpCheck | None = None,
) -> Sliced[None]:
    """Run the uptests of the procs of `release`, some side by side, and store what they say, as
    results of `dispatch`.

    Raises DispatchFailed with the output of those that failed. Without uptests a proc passes
    `check`, if there is one, with a warning.
    """
    with journal.step(StepKind.UPTEST, f"testing {counted(len(procs), 'proc')}") as step:
        testrun = recording.begin(dispatch)
        began = time.monotonic()
        # Whoever cancels needn't wait for tests that hang: they end with their procs.
        results = yield from _tested(procs, runner_of(release), step.check)
        if check is not None:
            untested = [place for place, said in enumerate(results) if not said]
            answers = yield from _asked([procs[place] for place in untested], check, step.check)
            for place, answer in zip(untested, answers, strict=True):
                results[place] = answer
        seconds = time.monotonic() - began
        outcomes = list(zip(procs, results, strict=True))
        message = _summary(outcomes, seconds)
        # Before the results are stored: whoever has lost the dispatch must not add to them.
        step.check()
        with transaction.atomic():
            recording.end(testrun, [(proc.node.host, str(proc), said) for proc, said in outcomes])
            _tell(outcomes, journal)
        if failures := _failures(outcomes):
            raise DispatchFailed(
                f"The uptests of {', '.join(failures)} failed.", details=_shown(failures)
            )
        step.say(message)


def _tested(
    procs: Sequence[WantedProc], runner: str, check: Callable[[], None]
) -> Sliced[list[list[Result]]]:
    """What each proc's uptests say. Those that last hold no thread."""
    results: list[list[Result]] = [[] for _ in procs]
    waiting = deque(enumerate(procs))
    under_way: dict[int, UnderWay] = {}
    began = time.monotonic()
    try:
        while True:
            while waiting and len(under_way) < _SIDE_BY_SIDE:
                place, proc = waiting.popleft()
                under_way[place] = UnderWay(proc.host, str(proc), runner=runner)
            for place, tests in list(under_way.items()):
                if (said := tests.results()) is not None:
                    results[place] = said
                    under_way.pop(place).close()
            if not under_way and not waiting:
                return results
            yield min(max(_FIRST_PAUSE, (time.monotonic() - began) * _PART), _LONGEST_PAUSE)
            check()
    finally:
        for tests in under_way.values():
            tests.close()


def _asked(
    procs: Sequence[WantedProc], check: HttpCheck, wanted: Callable[[], None]
) -> Sliced[list[list[Result]]]:
    """What each proc answers that has no uptests."""
    job = TESTING.begin(lambda proc: check.run(proc.host, str(proc), proc.node.port), procs)
    return (yield from job.watched(wanted))


def _failures(outcomes: Outcomes) -> dict[str, str]:
    """What the tests that failed said, by their procs."""
    return {
        str(proc): describe_failures(results)
        for proc, results in outcomes
        if not have_passed(results)
    }


def _shown(failures: Mapping[str, str]) -> str:
    return "\n\n".join(f"{name}:\n{text}" for name, text in failures.items())


def _tell(outcomes: Outcomes, journal: Journal) -> None:
    if failures := _failures(outcomes):
        journal.event(
            f"{journal.swarm}: uptests failed", _shown(failures), kind=Kind.UPTESTS_FAILED
        )
        return
    said = [result for _, results in outcomes for result in results]
    if _have_only_answered(said):
        folder = outcomes[0][0].name.proc
        tested = "only one page was asked for" if said else "nothing was tested"
        journal.event(
            f"{journal.swarm}: no uptests",
            f"The app has nothing in uptests/{folder}/, so {tested}.",
            kind=Kind.UPTESTS_MISSING,
        )
        return
    journal.event(
        f"{journal.swarm}: uptests passed",
        ", ".join(str(proc) for proc, _ in outcomes),
        kind=Kind.UPTESTS_PASSED,
    )


def _summary(outcomes: Outcomes, seconds: float) -> str:
    said = [result for _, results in outcomes for result in results]
    procs = counted(len(outcomes), "proc")
    if not said:
        return f"no uptests for {procs}"
    if _have_only_answered(said):
        return f"no uptests; {procs} answered a page in {seconds:.1f} s"
    return f"{counted(len(said), 'uptest')} of {procs} passed in {seconds:.1f} s"


def _have_only_answered(results: Sequence[Result]) -> bool:
    return all(result["Name"] == http_check.NAME for result in results)
