"""A NATS server for all tests of this folder; stagers and an HTTP server for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cloud import Cloud, cloud
from support.nats_server import NatsServer
from support.stagers import UNUSUAL_APP, Stagers, stagers


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[Cloud]:
    with cloud(tmp_path / "cloud") as running:
        yield running


@pytest.fixture
def pool(bus: NatsServer, controller: Cloud, tmp_path: Path) -> Iterator[Stagers]:
    """No stager runs yet; afterwards none of them has left anything behind."""
    with stagers(bus, controller, tmp_path / "stagers") as ready:
        yield ready


@pytest.fixture(scope="package")
def common(bus: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stagers]:
    """One ordinary stager, for all tests that do it no harm."""
    folder = tmp_path_factory.mktemp("common")
    with cloud(folder / "cloud") as controller, stagers(bus, controller, folder / "s") as ready:
        ready.start()
        yield ready


@pytest.fixture
def app(controller: Cloud) -> str:
    controller.apps["app"] = UNUSUAL_APP
    return "app"
