"""What happened: test runs, users' actions, events (docs/reference/http-api.md)."""

from __future__ import annotations

from django.contrib.auth.models import User

from vr.server import models
from vr.server.api.fields import Computed, Flag, Link, Links, Moment, Text, yaml_text
from vr.server.api.filters import Through
from vr.server.api.resource import Resource

TEST_RESULTS: Resource = Resource(
    name="testresults",
    noun="test result",
    model=models.TestResult,
    fields=(
        Link(name="testrun", to=lambda: TEST_RUNS),
        Moment(name="time"),
        Text(name="hostname"),
        Text(name="procname"),
        Flag(name="passed"),
        Computed(name="testcount", value=lambda result, _: result.testcount, shape="integer"),
        Computed(name="results", value=lambda result, _: yaml_text(result.results)),
    ),
    select=("testrun",),
    read_only=True,
)


TEST_RUNS: Resource = Resource(
    name="testruns",
    noun="test run",
    model=models.TestRun,
    fields=(
        Moment(name="start"),
        Moment(name="end"),
        Links(name="testresults", to=lambda: TEST_RESULTS, full=True),
    ),
    order=("-id",),
    prefetch=("testresults__testrun",),
    read_only=True,
)


USERS: Resource = Resource(
    name="user",
    noun="user",
    model=User,
    label="username",
    fields=(
        Text(name="username"),
        Text(name="first_name"),
        Text(name="last_name"),
        Moment(name="date_joined"),
        Moment(name="last_login"),
        Computed(name="profile", value=lambda user, _: None, shape="object"),
    ),
    filters={"username": "username"},
    read_only=True,
)


LOGS: Resource = Resource(
    name="logs",
    noun="log entry",
    model=models.LogEntry,
    fields=(
        Text(name="type"),
        Moment(name="time"),
        Text(name="message"),
        Computed(
            name="user",
            value=lambda entry, answering: (
                USERS.dump(entry.user, answering) if entry.user else None
            ),
            shape="object",
        ),
    ),
    filters={"type": "type", "time": "time", "message": "message", "user": Through(lambda: USERS)},
    order=("-id",),
    select=("user",),
    read_only=True,
)


EVENTS: Resource = Resource(
    name="events",
    noun="event",
    model=models.Event,
    fields=(
        Moment(name="time"),
        Text(name="title"),
        Text(name="message"),
        Computed(name="tags", value=lambda event, _: event.tags, shape="array"),
        Text(name="swarm_id", attribute="trace_id", nullable=True),
        Text(name="about", attribute="resource_uri", nullable=True),
    ),
    filters={"swarm_id": "trace_id", "time": "time", "title": "title"},
    order=("-id",),
    read_only=True,
)
