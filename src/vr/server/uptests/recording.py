"""Rounds of uptests as rows: what was tested, when, and what came out."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from vr.server.models import Dispatch, TestResult, TestRun
from vr.server.uptests.results import Result, have_passed


def begin(dispatch: Dispatch | None = None) -> TestRun:
    """A new round of uptests, of a dispatch or of none."""
    return TestRun.objects.create(dispatch=dispatch)


def end(testrun: TestRun, outcomes: Iterable[tuple[str, str, list[Result]]]) -> None:
    """Store the outcomes, each as host, full name of the proc, and results."""
    with transaction.atomic():
        for host, proc, results in outcomes:
            TestResult.objects.create(
                testrun=testrun,
                hostname=host,
                procname=proc,
                passed=have_passed(results),
                results=results,
            )
        testrun.end = timezone.now()
        testrun.save(update_fields=["end"])


def passed_in(dispatch: Dispatch) -> set[tuple[str, str]]:
    """Host and full name of the procs that passed their last uptests in this dispatch, those not
    counted that are too old for it."""
    rows = TestResult.objects.filter(testrun__dispatch=dispatch).order_by("id")
    if dispatch.tested_after is not None:
        rows = rows.filter(testrun__start__gte=dispatch.tested_after)
    last = {
        (host, proc): passed
        for host, proc, passed in rows.values_list("hostname", "procname", "passed")
    }
    return {place for place, passed in last.items() if passed}
