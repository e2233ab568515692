"""How a dispatch is to go, as bodies of requests say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from vr.server.api.body import Asked
from vr.server.models import Dispatch
from vr.server.resources.fields import Field, Flag, Integer, Number, Text
from vr.server.resources.shapes import Schema, any_of
from vr.server.swarming.manner import Manner


@dataclass(frozen=True, kw_only=True)
class Share(Field):
    """A number of procs, or a percentage of them as text: 3, "3" or "25%"."""

    def taken(self, model: type[Model]) -> Schema:
        return any_of(
            {"type": "string", "pattern": "^[0-9]{1,9}%?$"}, {"type": "integer", "minimum": 1}
        )

    def load(self, value: Any) -> Any:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return Text(name=self.name).load(str(value) if is_number else value)


MANNER = (
    Asked(Flag(name="hold"), Dispatch),
    Asked(Share(name="canary"), Dispatch),
    Asked(Number(name="canary_seconds", whole=True), Dispatch),
    Asked(Integer(name="batch"), Dispatch),
)
"""The keys of a body."""


def manner_of(told: Mapping[str, Any]) -> Manner:
    """What was told with them."""
    return Manner(
        hold=bool(told["hold"]),
        canary=told["canary"] or "",
        canary_seconds=told["canary_seconds"],
        batch=told["batch"] or 0,
    )
