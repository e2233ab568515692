"""Results of uptests, proc by proc."""

from __future__ import annotations

from django.db import models

from vr.server.models.test_run import TestRun


class TestResult(models.Model):
    """The uptests of one proc: `results` is a list of {Name, Passed, Output, Duration}."""

    __test__ = False
    testrun = models.ForeignKey(TestRun, on_delete=models.CASCADE, related_name="testresults")
    time = models.DateTimeField(auto_now_add=True)
    hostname = models.CharField(max_length=200)
    procname = models.CharField(max_length=250)
    passed = models.BooleanField()
    results = models.JSONField(default=list)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["procname", "id"], name="results_of_a_proc")]

    def __str__(self) -> str:
        return f"{self.procname}: {'passed' if self.passed else 'failed'}"

    @property
    def testcount(self) -> int:
        return len(self.results)
