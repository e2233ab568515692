"""`VR_BUILDER=nats`: a stack with its own NATS server and stager builds, and takes droplets."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ports import free_port
from support.repositories import GitRepository
from support.stack import BIN, TOP, Stack, running_stack
from support.waiting import until


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Up with a farm of its own; down, with nothing left behind, afterwards."""
    with running_stack(VR_BUILDER="nats", VR_NATS_PORT=str(free_port())) as one:
        yield one


def swarm(stack: Stack, app: str, tag: str) -> None:
    stack.vr(
        *("swarms", "add", app, "web", "--config-name", "prod", "--tag", tag),
        *("--size", "1", "--squad", "local", "--pool", app),
    )
    stack.vr("swarm", f"{app}-prod-web", tag)


def test_the_farm_builds_what_is_swarmed_and_its_log_is_seen(stack: Stack, tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "hello")
    shutil.copytree(TOP / "examples/node_hello", repository.path, dirs_exist_ok=True)
    repository.commit({}, tag="v1")
    stack.vr("apps", "add", "built", repository.url, "--stack", "debian12")
    said = stack.vr("build", "built", "v1").stdout
    for line in ("Asking the stagers", "Staging application", "Process types: web", "Done!"):
        assert line in said
    swarm(stack, "built", "v1")
    status, body = stack.get("built")
    assert status == 200 and "Hello" in body


def test_a_droplet_of_the_stager_is_uploaded_swarmed_and_served(
    stack: Stack, tmp_path: Path
) -> None:
    uri = (stack.home / "vr/secrets/nats-uri").read_text().strip()
    droplet = tmp_path / "hello.tgz"
    subprocess.run(
        [
            *(str(BIN / "vstager"), "stage", str(TOP / "examples/node_hello")),
            *("--framework", "node", "--output", str(droplet)),
        ],
        env=stack.env | {"NATS_URI": uri},
        check=True,
        capture_output=True,
        timeout=120,
    )
    stack.vr("apps", "add", "hello", "/nowhere", "--stack", "debian12")
    made = json.loads(stack.vr("upload", "hello", str(droplet), "--tag", "v1", "--json").stdout)
    assert made["status"] == "success"
    swarm(stack, "hello", "v1")
    status, body = stack.get("hello")
    assert status == 200 and "Hello" in body
    (proc,) = [name for name in stack.procs() if name.startswith("hello-")]
    said = until(lambda: stack.vr("logs", proc).stdout, "its log", seconds=30)
    assert "listening on" in said, "what the app prints is in the proc's log"


def test_no_token_of_the_bus_is_seen_by_others(stack: Stack) -> None:
    home = stack.home / "vr"
    token = (home / "secrets/nats-token").read_text().strip()
    for path in [home / "etc/nats.conf", home / "etc/stager.yml", home / "secrets/nats-uri"]:
        assert path.stat().st_mode & 0o077 == 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            assert token not in (folder / "cmdline").read_text(errors="replace")
        except OSError:
            continue
    for log in (home / "logs").iterdir():
        assert token not in log.read_text(errors="replace"), log
