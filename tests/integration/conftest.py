"""Servers that the tests of several rooms talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.nats_server import NatsServer, nats_server


@pytest.fixture(scope="session")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with nats_server(tmp_path_factory.mktemp("nats")) as server:
        yield server
