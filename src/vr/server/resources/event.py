"""Events: what users and tasks did, as the stream told it."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Computed, Moment, Text
from vr.server.resources.resource import Resource
from vr.server.resources.shapes import TEXT, list_of

EVENTS = Resource(
    name="events",
    noun="event",
    about="What users and tasks did, as the stream told it.",
    model=models.Event,
    fields=(
        Moment(name="time"),
        Text(name="title"),
        Text(name="message"),
        Computed(name="tags", value=lambda event, _: event.tags, schema=list_of(TEXT)),
        Text(name="swarm_id", attribute="trace_id", nullable=True),
        Text(name="about", attribute="resource_uri", nullable=True),
    ),
    filters={"swarm_id": "trace_id", "time": "time", "title": "title"},
    order=("-id",),
    read_only=True,
)
