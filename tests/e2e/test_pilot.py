"""Swarms under the pilot: they register themselves, and an app that depends on one follows it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.consul_agent import ConsulAgent
from support.stack import Stack, wait_for

FRONT: dict[str, Any] = {
    "Procfile": 'web: echo "{{braces stay}}"; exec python3 -m http.server $PORT --bind $HOST',
    # Not JSON before the template is carried out: the port is a number.
    "containerpilot.json": """{
      "consul": "{{.CONSUL}}",
      "preStop": ["/bin/echo", "front says goodbye"],
      "services": [{
        "name": "front", "port": {{.PORT}}, "interfaces": ["static:{{.HOST}}"],
        "health": ["python3", "health.py"], "poll": 1, "ttl": 5
      }]
    }""",
    "health.py": (
        "import os, urllib.request as u\n"
        "u.urlopen(f\"http://{os.environ['HOST']}:{os.environ['PORT']}/version\", timeout=1)\n"
    ),
}
FOLLOWER: dict[str, Any] = {
    "Procfile": "worker: exec sleep 3600",
    "follow.sh": '#!/bin/bash\necho "front changed"\n',
}
FOLLOW = {
    "consul": "{{.CONSUL}}",
    "backends": [{"name": "front", "poll": 1, "onChange": "/bin/bash /app/follow.sh"}],
}


@pytest.fixture
def consul(tmp_path: Path) -> Iterator[ConsulAgent]:
    agent = ConsulAgent(tmp_path / "consul")
    agent.start()
    yield agent
    agent.stop()


@pytest.fixture
def own(consul: ConsulAgent) -> Iterator[Stack]:
    """A stack whose procs are told of the Consul agent."""
    one = Stack(Path(tempfile.mkdtemp(prefix="vr-own-")))
    one.env["VR_CONSUL"] = consul.address
    one.up()
    yield one
    one.remove()
    assert one.leftovers() == []


def make_app(folder: Path, files: dict[str, Any], versions: list[str]) -> Path:
    """A git repository with a tag for each version; the file `version` tells them apart."""
    folder.mkdir()
    git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    for version in versions:
        (folder / "version").write_text(version)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", version], check=True)
        subprocess.run([*git, "tag", version], check=True)
    return folder


def registered(consul: ConsulAgent) -> set[str]:
    found = consul.get("/v1/health/service/front?passing")
    return {f"{one['Service']['Address']}:{one['Service']['Port']}" for one in found}


def test_a_second_app_follows_the_first_when_it_is_swarmed_again(
    own: Stack, consul: ConsulAgent, tmp_path: Path
) -> None:
    front = make_app(tmp_path / "front", FRONT, ["v1", "v2"])
    follower = make_app(tmp_path / "follower", FOLLOWER, ["v1"])
    config = tmp_path / "follow.yaml"
    config.write_text(json.dumps({"pilot": FOLLOW}))
    own.vr("apps", "add", "front", str(front), "--stack", "debian12")
    own.vr("apps", "add", "follower", str(follower), "--stack", "debian12")
    own.vr(
        *("swarms", "add", "front", "web", "--config-name", "x", "--tag", "v1"),
        *("--size", "2", "--pool", "front"),
    )
    own.vr(
        *("swarms", "add", "follower", "worker", "--config-name", "x", "--tag", "v1"),
        *("--config", str(config)),
    )

    own.vr("swarm", "front-x-web", "v1")
    first = set(own.pool_nodes("front"))
    wait_for("both procs of v1 are registered", lambda: registered(consul) == first)

    own.vr("swarm", "follower-x-worker", "v1")

    def changes() -> int:
        return own.vr("logs", "follower-x-worker").stdout.count("front changed")

    seen = wait_for("the follower sees the front", changes)

    own.vr("swarm", "front-x-web", "v2")
    second = set(own.pool_nodes("front"))
    assert second.isdisjoint(first)
    wait_for("only the procs of v2 are registered", lambda: registered(consul) == second)
    wait_for("the follower is told of the change", lambda: changes() > seen)
    assert own.get("front", "/version") == (200, "v2")
    assert "{{braces stay}}" in own.vr("logs", "front-x-web").stdout
