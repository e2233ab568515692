"""A proc that came back is tested before it counts as well, and before it is trusted in a pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.caretaking import Caretaker, Fragile
from support.swarm_machine import APP, HOST, Machine
from support.waiting import until
from vr.hosts.readiness import spawn_of
from vr.server.hosts import connect
from vr.server.models import DispatchStatus, Host, ProcStatus, Swarm
from vr.server.swarming.proc_actions import proc_action

# Passes as long as nobody has broken the shop.
FICKLE_APP = APP.replace('os.environ["VERSION"].encode()', "answer()").replace(
    "class Handler",
    'def answer():\n    return b"broken" if BROKEN else os.environ["VERSION"].encode()\n\n'
    'BROKEN = os.path.exists("/broken/yes")\n\nclass Handler',
)
CHECKS_ANSWER = """\
#!/usr/bin/env python3
import sys, urllib.request
said = urllib.request.urlopen(f"http://{sys.argv[1]}:{sys.argv[2]}/").read()
assert said == b"v1", said
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """While this file is there, an app that starts is broken."""
    folder = tmp_path / "broken"
    folder.mkdir(mode=0o755)
    return folder / "yes"


@pytest.fixture
def served(machine: Machine, broken: Path, settings: Any) -> Swarm:
    """A swarm of an app that passes its uptests if it isn't broken when it starts."""
    settings.VOLUME_ROOTS = [str(broken.parent.parent)]
    machine.build("v1", app=FICKLE_APP, uptest=CHECKS_ANSWER)
    swarm = machine.swarm(volumes_yaml=f"- [{broken.parent}, /broken]")
    dispatch = machine.dispatch(swarm)
    assert dispatch.status == DispatchStatus.SUCCEEDED, dispatch.error
    return swarm


def crash(machine: Machine, proc: str) -> None:
    """Supervisor starts it again, and it serves."""
    before = spawn_of(machine.supervisor.get(proc) or {})
    machine.supervisor.signal(proc, "KILL")

    def is_back() -> bool:
        info = machine.supervisor.get(proc) or {}
        port = int(proc.rpartition("-")[2])
        is_new = info["statename"] == "RUNNING" and spawn_of(info) != before
        return is_new and connect(HOST).accepts(port)

    until(is_back, f"{proc} is back")


def until_tested(caretaker: Caretaker) -> None:
    def is_tested() -> bool:
        return "test" in caretaker.go_round_later()

    until(is_tested, "it has been up for long enough to be tested", seconds=60)


def node_of(proc: str) -> str:
    return f"{HOST}:{proc.rpartition('-')[2]}"


def test_a_proc_that_crashed_and_came_back_is_tested_once(
    caretaker: Caretaker, machine: Machine
) -> None:
    proc, nodes = machine.procs()[0], machine.nodes()
    caretaker.go_round()
    crash(machine, proc)
    until_tested(caretaker)
    assert caretaker.health(proc).status == ProcStatus.WELL
    assert machine.nodes() == nodes
    for _ in range(3):
        assert caretaker.go_round_later() == []
    # A crash that went by is no news.
    assert caretaker.events("proc", "success") == []


def test_one_that_fails_its_uptests_leaves_the_pool_until_it_passes(
    caretaker: Caretaker, machine: Machine, broken: Path
) -> None:
    proc, nodes = machine.procs()[0], machine.nodes()
    caretaker.go_round()
    broken.touch()
    crash(machine, proc)
    until_tested(caretaker)
    assert caretaker.health(proc).status == ProcStatus.BACK
    assert node_of(proc) not in machine.nodes()
    assert len(machine.nodes()) == 1
    until_tested(caretaker)
    [told] = caretaker.events("failed", "uptest")
    assert told.title == "shop-prod-web: web came back and failed its uptests"
    assert "b'broken'" in told.message

    broken.unlink()
    crash(machine, proc)
    until_tested(caretaker)
    assert caretaker.health(proc).status == ProcStatus.WELL
    assert machine.nodes() == nodes
    assert len(caretaker.events("proc", "success")) == 1


def test_the_last_node_that_serves_is_never_taken_out(
    caretaker: Caretaker, machine: Machine, broken: Path
) -> None:
    first, second = machine.procs()
    caretaker.go_round()
    machine.supervisor.stop(second)
    until(lambda: not connect(HOST).accepts(int(second.rpartition("-")[2])), "it is down")
    broken.touch()
    crash(machine, first)
    until_tested(caretaker)
    assert len(caretaker.events("failed", "uptest")) == 1
    assert node_of(first) in machine.nodes()


def test_a_proc_that_was_down_is_routed_again_only_when_tested(
    caretaker: Caretaker, machine: Machine, broken: Path, tmp_path: Path
) -> None:
    fragile, nodes = (
        Fragile.make(machine, machine.procs()[0], tmp_path / "database"),
        machine.nodes(),
    )
    caretaker.go_round()
    fragile.lose_database()
    caretaker.go_round_later()
    assert fragile.node not in machine.nodes()
    fragile.until_state("FATAL")
    fragile.database.touch()
    broken.touch()
    caretaker.pass_time()
    assert caretaker.go_round() == ["start"]
    fragile.until_state("RUNNING")
    until_tested(caretaker)
    assert fragile.node not in machine.nodes()
    broken.unlink()
    crash(machine, fragile.proc)
    until_tested(caretaker)
    assert machine.nodes() == nodes


def test_a_proc_that_its_user_restarted_was_tested_by_that(
    caretaker: Caretaker, machine: Machine
) -> None:
    proc = machine.procs()[0]
    caretaker.go_round()
    proc_action(Host.objects.get(), proc, "restart", user=None)

    def is_old() -> bool:
        info = machine.supervisor.get(proc) or {}
        assert "test" not in caretaker.go_round_later()
        return bool(info["now"] - info["start"] > 11)

    until(is_old, "it has been up for long enough to be tested", seconds=60)
    assert caretaker.health(proc).status == ProcStatus.WELL
