"""Real Consul and etcd on private ports, and pilots that are gone when a test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.consul_agent import ConsulAgent, consul_agent
from support.etcd_server import EtcdServer
from support.pilot_process import PilotProcess

Fly = Callable[..., PilotProcess]


@pytest.fixture(scope="session")
def consul(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsulAgent]:
    """One for all tests that leave it running: they use names of their own."""
    with consul_agent(tmp_path_factory.mktemp("consul")) as agent:
        yield agent


@pytest.fixture
def own_consul(tmp_path: Path) -> Iterator[ConsulAgent]:
    """For tests that stop and start it."""
    with consul_agent(tmp_path / "consul") as agent:
        yield agent


@pytest.fixture(scope="session")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    server = EtcdServer(tmp_path_factory.mktemp("etcd"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def fly(tmp_path: Path) -> Iterator[Fly]:
    """Starts pilots: `fly(config, "sleep", "60")`."""
    pilots: list[PilotProcess] = []

    def start(config: dict[str, Any], *words: str, **options: Any) -> PilotProcess:
        folder = tmp_path / f"pilot{len(pilots)}"
        pilots.append(PilotProcess(folder, config, *words, **options))
        return pilots[-1]

    try:
        yield start
    finally:
        for pilot in pilots:
            pilot.close()
