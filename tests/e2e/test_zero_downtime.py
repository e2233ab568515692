"""The promise: from version to version without a dropped request, whatever goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess

from support.load import Load
from support.stack import BIN, Stack
from support.waiting import until

RATE = 220


def deployed(stack: Stack, version: str) -> list[str]:
    return [name for name in stack.procs() if name.startswith(f"shop-{version}-prod-")]


def test_ten_swarms_back_and_forth_under_load_fail_no_request(stack: Stack, shop: str) -> None:
    stack.vr("swarm", shop, "v2")
    with Load(stack.http_port, "shop.localhost", RATE) as load:
        for turn in range(10):
            version = "v1" if turn % 2 == 0 else "v2"
            stack.vr("swarm", shop, version)
            assert len(deployed(stack, version)) == 2
            assert stack.procs() == deployed(stack, version), "procs of the old version are left"
    assert load.failures == []
    assert set(load.versions) == {"v1", "v2"}
    assert load.sent / load.seconds >= 200
    assert stack.proc_folders() == stack.procs()


def test_a_version_that_fails_its_uptest_leaves_the_old_one_routed(stack: Stack, shop: str) -> None:
    stack.vr("swarm", shop, "v2")
    before = stack.procs(), stack.pool_nodes("shop"), stack.proc_folders()
    with Load(stack.http_port, "shop.localhost", RATE) as load:
        failed = stack.vr("swarm", shop, "v3", check=False)
    assert failed.returncode == 1
    assert "uptest" in failed.stdout + failed.stderr
    assert "02_version" in failed.stdout + failed.stderr, "the failing uptest is named"
    assert load.failures == []
    assert set(load.versions) == {"v2"}
    assert (stack.procs(), stack.pool_nodes("shop"), stack.proc_folders()) == before


def test_killing_the_worker_in_the_middle_of_a_swarm_only_costs_time(
    stack: Stack, shop: str
) -> None:
    stack.vr("swarm", shop, "v1")
    with Load(stack.http_port, "shop.localhost", RATE) as load:
        swarming = subprocess.Popen(
            [str(BIN / "vr"), "swarm", shop, "v2"],
            env=stack.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        until(lambda: deployed(stack, "v2"), "a proc of v2 is deployed", seconds=30)
        worker = stack.pid_of("worker")
        os.kill(worker, signal.SIGKILL)
        output, _ = swarming.communicate(timeout=90)
    assert swarming.returncode == 0, output
    assert stack.pid_of("worker") != worker
    assert load.failures == []
    assert set(load.versions) == {"v1", "v2"}
    assert len(deployed(stack, "v2")) == 2
    assert stack.procs() == deployed(stack, "v2")
    assert stack.version("shop") == "v2"


def test_rollback_returns_to_the_release_before(stack: Stack, shop: str) -> None:
    stack.vr("swarm", shop, "v1")
    stack.vr("swarm", shop, "v2")
    stack.vr("rollback", shop)
    assert stack.version("shop") == "v1"
    assert stack.procs() == deployed(stack, "v1")


def test_scaling_adds_and_removes_procs_without_a_failed_request(stack: Stack, shop: str) -> None:
    stack.vr("swarm", shop, "v1")
    with Load(stack.http_port, "shop.localhost", RATE) as load:
        stack.vr("scale", shop, "3")
        assert len(stack.pool_nodes("shop")) == len(stack.procs()) == 3
        stack.vr("scale", shop, "1")
        assert len(stack.pool_nodes("shop")) == len(stack.procs()) == 1
        stack.vr("scale", shop, "2")
    assert load.failures == []
