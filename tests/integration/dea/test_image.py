"""Staging and running in an OS image instead of on the host's own folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.cloud import cloud
from support.deas import Dea
from support.images import test_image
from support.nats_server import NatsServer
from support.staged_apps import staged_page
from support.stagers import Stagers, buildpack, stagers

# The host has a Ruby; the image, which is Debian's smallest with Python, has none.
SERVER = """
import http.server, os, pathlib, shutil
built = pathlib.Path("built").read_text().strip()
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        where = "host" if shutil.which("ruby") else "image"
        self.wfile.write(f"{built}, runs in the {where}".encode())
http.server.HTTPServer(("", int(os.environ["PORT"])), Page).serve_forever()
"""
COMPILE = 'if command -v ruby; then where=host; else where=image; fi; echo "Built in the $where"'


@pytest.fixture
def image() -> dict[str, Any]:
    return {"url": str(test_image()), "name": "smallest"}


@pytest.fixture
def imaged(bus: NatsServer, tmp_path: Path, image: dict[str, Any]) -> Iterator[Stagers]:
    with cloud(tmp_path / "cloud") as controller, stagers(bus, controller, tmp_path / "s") as pool:
        pool.start(image=image)
        yield pool


def test_an_app_is_staged_and_run_in_an_image(
    imaged: Stagers, dea: Dea, image: dict[str, Any], tmp_path: Path
) -> None:
    dea.start(image=image, runtimes={"python3": "/usr/bin/python3"})
    pack = buildpack(tmp_path, f'cd "$1"; ({COMPILE}) > built')
    text = staged_page(
        imaged,
        dea,
        "imaged",
        "buildpack",
        "python3",
        {"serve.py": SERVER},
        {"runtime_info": {"version": "3.1"}},
        {"buildpack": pack, "meta": {"command": "python3 serve.py"}},
    )
    assert text == "Built in the image, runs in the image"
