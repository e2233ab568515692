"""NATS, a stager that makes droplets of real apps, DEAs that run them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.cloud import cloud
from support.deas import Dea
from support.deas import dea as running_dea
from support.nats_server import NatsServer, nats_server
from support.staged_apps import staged_page
from support.stagers import Stagers, stagers
from support.waiting import until


@pytest.fixture(scope="module")
def staging(bus: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stagers]:
    folder = tmp_path_factory.mktemp("staging")
    with cloud(folder / "cloud") as controller, stagers(bus, controller, folder / "s") as pool:
        pool.start()
        yield pool


@pytest.fixture
def dea(bus: NatsServer, tmp_path: Path) -> Iterator[Dea]:
    with running_dea(bus, tmp_path / "dea") as ready:
        yield ready


@pytest.fixture
def droplet(tmp_path: Path) -> Callable[..., tuple[str, Path]]:
    """Make a droplet by hand, of a startup script and other files; gives its SHA-1 and path."""

    def make(startup: str, **files: str) -> tuple[str, Path]:
        path = tmp_path / "made.tgz"
        with tarfile.open(path, "w:gz") as archive:
            for name, text in {"startup": f"#!/bin/bash\n{startup}\n", **files}.items():
                entry = tarfile.TarInfo(f"./{name.replace('__', '.')}")
                entry.size, entry.mode = len(text.encode()), 0o500
                archive.addfile(entry, io.BytesIO(text.encode()))
            folder = tarfile.TarInfo("./app")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        return hashlib.sha1(path.read_bytes()).hexdigest(), path

    return make


@pytest.fixture(scope="package")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dea]:
    """On a bus of its own, where it answers nobody else's questions."""
    folder = tmp_path_factory.mktemp("lasting")
    with nats_server(folder / "nats") as own, running_dea(own, folder / "dea") as ready:
        ready.start()
        yield ready


@pytest.fixture
def shared(lasting: Dea) -> Iterator[Dea]:
    """A DEA that runs already, for tests that leave it as it was; what they started is stopped."""
    lasting.bus.heard.clear()
    yield lasting
    instances = lasting.base / "instances"
    beats = lasting.bus.messages("dea.heartbeat")
    droplets = {part["droplet"] for message in beats for part in message["droplets"]}
    droplets |= {message["droplet"] for message in lasting.bus.messages("droplet.exited")}
    for droplet in droplets:
        lasting.bus.say("dea.stop", {"droplet": droplet})
    until(lambda: not list(instances.iterdir()), "all instances are gone")


@pytest.fixture
def page_of(staging: Stagers, shared: Dea) -> Callable[..., str]:
    """Have an app staged and run, fetch its page, stop it; gives the page's text.

    `start` changes the start message, `more` the staging request's properties.
    """

    def run(
        name: str,
        framework: str,
        runtime: str,
        files: Mapping[str, str | bytes],
        *,
        start: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> str:
        return staged_page(staging, shared, name, framework, runtime, files, start or {}, more)

    return run
