"""Uptest: every proc proves itself before it is routed."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.utils import timezone

from vr.server.events.kinds import Kind
from vr.server.models import StepKind, TestResult, TestRun
from vr.server.swarming.plan_types import Node
from vr.server.swarming.problems import DispatchFailed
from vr.server.swarming.run import Run, side_by_side
from vr.server.uptests import running
from vr.server.uptests.results import Result, describe_failures, have_passed
from vr.text.plurals import counted


def uptest(run: Run, nodes: Sequence[Node]) -> None:
    """Run the uptests of the procs on `nodes` side by side and store what they say.

    Raises DispatchFailed with the output of those that failed. Without uptests a proc passes,
    with a warning.
    """
    with run.journal.step(StepKind.UPTEST, f"testing {counted(len(nodes), 'proc')}") as step:
        testrun = TestRun.objects.create(dispatch=run.dispatch)
        began = time.monotonic()
        outcomes = side_by_side(lambda node: _test(run, node), nodes)
        seconds = time.monotonic() - began
        run.lease.check()
        for node, results in zip(nodes, outcomes, strict=True):
            TestResult.objects.create(
                testrun=testrun,
                hostname=node.host,
                procname=str(run.proc_name(node.port)),
                passed=have_passed(results),
                results=results,
            )
        testrun.end = timezone.now()
        testrun.save(update_fields=["end"])
        _judge(run, dict(zip(nodes, outcomes, strict=True)))
        step.say(_summary(outcomes, seconds))


def _test(run: Run, node: Node) -> list[Result]:
    runner = "vrun" if run.release.build.image_id else "vrun_precise"
    return running.run(run.host(node.host), str(run.proc_name(node.port)), runner=runner)


def _judge(run: Run, outcomes: dict[Node, list[Result]]) -> None:
    failures = {
        str(run.proc_name(node.port)): describe_failures(results)
        for node, results in outcomes.items()
        if not have_passed(results)
    }
    if failures:
        output = "\n\n".join(f"{name}:\n{text}" for name, text in failures.items())
        run.journal.event(f"{run.swarm.name}: uptests failed", output, kind=Kind.UPTESTS_FAILED)
        raise DispatchFailed(f"The uptests of {', '.join(failures)} failed.", details=output)
    if not any(outcomes.values()):
        run.journal.event(
            f"{run.swarm.name}: no uptests",
            f"The app has nothing in uptests/{run.swarm.proc_name}/, so nothing was tested.",
            kind=Kind.UPTESTS_MISSING,
        )
        return
    run.journal.event(
        f"{run.swarm.name}: uptests passed",
        ", ".join(str(run.proc_name(node.port)) for node in outcomes),
        kind=Kind.UPTESTS_PASSED,
    )


def _summary(outcomes: Sequence[list[Result]], seconds: float) -> str:
    count = sum(len(results) for results in outcomes)
    if not count:
        return f"no uptests for {counted(len(outcomes), 'proc')}"
    return (
        f"{counted(count, 'uptest')} of {counted(len(outcomes), 'proc')} passed in {seconds:.1f} s"
    )
