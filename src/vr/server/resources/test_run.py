"""Rounds of uptests."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Moment
from vr.server.resources.links import Link, Links
from vr.server.resources.resource import Resource

TEST_RUNS = Resource(
    name="testruns",
    noun="test run",
    about="Rounds of uptests.",
    model=models.TestRun,
    fields=(
        Link(name="user", to="user", writable=False),
        Moment(name="start"),
        Moment(name="end"),
        Links(name="testresults", to="testresults", full=True),
    ),
    filters={"start": "start", "end": "end"},
    order=("-id",),
    select=("user",),
    prefetch=("testresults__testrun",),
    read_only=True,
)
