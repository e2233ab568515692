"""Rounds of uptests as rows: what was tested, when, and what came out."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Max
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
            add(testrun, host, proc, results)
        testrun.end = timezone.now()
        testrun.save(update_fields=["end"])


def add(testrun: TestRun, host: str, proc: str, results: list[Result]) -> None:
    """Store what the uptests of one proc said."""
    TestResult.objects.create(
        testrun=testrun,
        hostname=host,
        procname=proc,
        passed=have_passed(results),
        results=results,
    )


def latest(procs: Collection[tuple[str, str]]) -> dict[tuple[str, str], TestResult]:
    """The last result of each of the procs, given as host and full name, that has one."""
    named = TestResult.objects.filter(procname__in={proc for _, proc in procs}).order_by()
    newest = named.values("hostname", "procname").annotate(newest=Max("id"))
    rows = TestResult.objects.filter(pk__in=newest.values("newest"))
    found = {(row.hostname, row.procname): row for row in rows}
    return {place: found[place] for place in procs if place in found}


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
