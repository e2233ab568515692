"""Swarms under the pilot: they register themselves, and an app that depends on one follows it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.consul_agent import ConsulAgent, consul_agent
from support.stack import Stack, running_stack
from support.waiting import until

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
    with consul_agent(tmp_path / "consul") as agent:
        yield agent


@pytest.fixture
def own(consul: ConsulAgent) -> Iterator[Stack]:
    """A stack whose procs are told of the Consul agent."""
    with running_stack(VR_CONSUL=consul.address) as one:
        yield one


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
    until(lambda: registered(consul) == first, "both procs of v1 are registered", seconds=30)

    own.vr("swarm", "follower-x-worker", "v1")

    def changes() -> int:
        return own.vr("logs", "follower-x-worker").stdout.count("front changed")

    seen = until(changes, "the follower sees the front", seconds=30)

    own.vr("swarm", "front-x-web", "v2")
    second = set(own.pool_nodes("front"))
    assert second.isdisjoint(first)
    until(lambda: registered(consul) == second, "only the procs of v2 are registered", seconds=30)
    until(lambda: changes() > seen, "the follower is told of the change", seconds=30)
    assert own.get("front", "/version") == (200, "v2")
    assert "{{braces stay}}" in own.vr("logs", "front-x-web").stdout
