"""Forgetting: results of uptests between dispatches. Those of dispatches go with these."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from vr.server.models import TestResult, TestRun

KEEP_PASSED_HOURS = 24
KEEP_FAILED_DAYS = 30
_AT_ONCE = 10_000


def prune() -> int:
    """Delete what is old, and rounds of which nothing is left; returns how many results."""
    now = timezone.now()
    rows = TestResult.objects.filter(testrun__dispatch=None)
    passed = rows.filter(passed=True, time__lt=now - timedelta(hours=KEEP_PASSED_HOURS))
    failed = rows.filter(passed=False, time__lt=now - timedelta(days=KEEP_FAILED_DAYS))
    gone = sum(_delete(one) for one in (passed, failed))
    rounds = TestRun.objects.filter(dispatch=None, testresults=None)
    rounds.filter(end__lt=now - timedelta(hours=KEEP_PASSED_HOURS)).delete()
    return gone


def _delete(rows: object) -> int:
    """Some at a time: a database with one writer lets others in between."""
    gone = 0
    while pks := list(rows.values_list("pk", flat=True)[:_AT_ONCE]):  # type: ignore[attr-defined]
        gone += TestResult.objects.filter(pk__in=pks).delete()[0]
    return gone
