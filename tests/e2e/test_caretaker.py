"""Between dispatches: a proc that went down comes back by itself, and a crash loop shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.caretaking import depend
from support.stack import Stack
from support.waiting import until
from vr.hosts.supervisor import Supervisor


def supervisor_of(stack: Stack) -> Supervisor:
    return Supervisor("stack", f"unix://{stack.home}/vr/run/supervisor.sock")


def shown(stack: Stack, proc: str) -> Any:
    (found,) = [one for one in stack.json("procs") if one["name"] == proc]
    return found


def titles(stack: Stack) -> list[str]:
    lines = stack.vr("events", "--json").stdout.splitlines()
    return [json.loads(line)["title"] for line in lines]


def test_a_proc_that_crashes_again_and_again_is_restarting_and_told(
    stack: Stack, shop: str
) -> None:
    proc = next(name for name in stack.procs() if name.startswith("shop-"))
    supervisor = supervisor_of(stack)

    def is_told() -> bool:
        supervisor.signal(proc, "KILL")
        return shown(stack, proc)["statename"] == "RESTARTING"

    until(is_told, "it is restarting", seconds=60)
    assert shown(stack, proc)["restarts"] >= 3
    until(
        lambda: "shop-prod-web: web restarts again and again" in titles(stack), "an event tells it"
    )


def test_a_proc_comes_back_by_itself_when_its_database_does(
    stack: Stack, shop: str, tmp_path: Path
) -> None:
    proc = next(name for name in reversed(stack.procs()) if name.startswith("shop-"))
    node = f":{proc.rpartition('-')[2]}"
    supervisor, database = supervisor_of(stack), tmp_path / "database"

    def state() -> str:
        return str((supervisor.get(proc) or {"statename": "gone"})["statename"])

    def is_routed() -> bool:
        return any(one.endswith(node) for one in stack.pool_nodes("shop"))

    depend(supervisor, stack.root, proc, database)
    until(lambda: state() == "RUNNING", "it runs")
    database.unlink()
    supervisor.signal(proc, "KILL")
    until(lambda: state() == "FATAL", "Supervisor has given it up")
    until(lambda: not is_routed(), "it is out of its pool", seconds=60)
    database.touch()
    until(lambda: state() == "RUNNING", "it is started again", seconds=90)
    until(is_routed, "it has passed its uptests", seconds=60)
    assert stack.version("shop")
    said = titles(stack)
    assert "shop-prod-web: web went down" in said
    assert "shop-prod-web: web is well" in said
