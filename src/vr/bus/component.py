"""A service as a component of Cloud Foundry: announced, discovered, looked at.

The messages: docs/reference/staging.md#components.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from vr.bus.outbox import Outbox
from vr.bus.pages import Page, Pages, Place
from vr.text.durations import uptime


@dataclass(frozen=True)
class Component:
    """`kind` is "Stager" or "DEA"."""

    kind: str
    id: str
    index: int | None
    started: float = field(default_factory=time.time)

    def about(self) -> dict[str, Any]:
        """What it is, and since when it runs."""
        return {
            "type": self.kind,
            "index": self.index,
            "uuid": self.id,
            "start": f"{datetime.fromtimestamp(self.started, UTC):%Y-%m-%d %H:%M:%S +0000}",
            "uptime": uptime(time.time() - self.started),
        }

    def announcement(self, place: Place) -> dict[str, Any]:
        """The documented message; `place` is where its pages are."""
        address = f"{place.host}:{place.port}"
        return {**self.about(), "host": address, "credentials": list(place.credentials)}

    def pages(self, facts: Callable[[], Mapping[str, Any]]) -> Pages:
        """/healthz, and /varz with `facts`, which is called from several threads."""

        def page(path: str) -> Page:
            if path == "/healthz":
                return Page(b"ok\n")
            if path == "/varz":
                return Page(msgspec.json.encode({**self.about(), **facts()}), "application/json")
            return Page(b"There are /healthz and /varz.\n", status=404)

        return page


async def announce(component: Component, place: Place, client: Client, outbox: Outbox) -> None:
    """Say that the component is there, now and whenever somebody asks."""

    def announcement() -> bytes:
        return msgspec.json.encode(component.announcement(place))

    async def asked(message: Msg) -> None:
        if message.reply:
            outbox.send(message.reply, announcement())

    await client.subscribe("vcap.component.discover", cb=asked)
    outbox.send("vcap.component.announce", announcement())
