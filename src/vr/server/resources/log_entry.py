"""What users did."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Moment, Text
from vr.server.resources.links import Link
from vr.server.resources.resource import Resource, Through

LOGS = Resource(
    name="logs",
    noun="log entry",
    about="The action log: who did what.",
    model=models.LogEntry,
    fields=(
        Text(name="type"),
        Moment(name="time"),
        Text(name="message"),
        Link(name="user", to="user", full=True),
    ),
    filters={"type": "type", "time": "time", "message": "message", "user": Through("user")},
    order=("-id",),
    select=("user",),
    read_only=True,
)
