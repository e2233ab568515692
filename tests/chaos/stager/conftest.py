"""Stagers with a bus and an HTTP server of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cloud import cloud
from support.nats_server import nats_server
from support.stagers import Stagers, stagers


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Stagers]:
    with (
        nats_server(tmp_path / "nats") as bus,
        cloud(tmp_path / "cloud") as controller,
        stagers(bus, controller, tmp_path / "stagers") as ready,
    ):
        yield ready
