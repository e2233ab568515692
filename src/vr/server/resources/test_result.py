"""Results of uptests, one per proc."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Computed, Flag, Moment, Text, yaml_text
from vr.server.resources.links import Link
from vr.server.resources.resource import Resource, Through
from vr.server.resources.shapes import INTEGER

TEST_RESULTS = Resource(
    name="testresults",
    noun="test result",
    about="Results of uptests, one per proc.",
    model=models.TestResult,
    fields=(
        Link(name="testrun", to="testruns"),
        Moment(name="time"),
        Text(name="hostname"),
        Text(name="procname"),
        Flag(name="passed"),
        Computed(name="testcount", value=lambda result, _: result.testcount, schema=INTEGER),
        Computed(name="results", value=lambda result, _: yaml_text(result.results)),
    ),
    filters={
        "hostname": "hostname",
        "procname": "procname",
        "passed": "passed",
        "time": "time",
        "testrun": Through("testruns"),
    },
    order=("-id",),
    select=("testrun",),
    read_only=True,
)
