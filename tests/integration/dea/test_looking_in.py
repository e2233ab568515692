"""What others may see of instances and of the DEA itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import httpx

from support.deas import SERVE, Dea, page

Make = Callable[..., tuple[str, Path]]


def test_an_instances_files_are_served(shared: Dea, droplet: Make) -> None:
    shared.run("files", *droplet(f"echo started > logs/stdout.log; {SERVE}"))
    shared.bus.wait("router.register", app="files")
    found = shared.bus.ask("dea.find.droplet", {"droplet": "files", "include_stats": True})
    address = found["file_uri"].rstrip("/") + found["staged"]
    assert shared.bus.ask("dea.status", {})["port"] == httpx.URL(address).port
    user, password = found["credentials"]
    with httpx.Client(auth=(user, password), trust_env=False) as client:
        assert client.get(f"{address}/logs/stdout.log").text == "started\n"
        assert [line.split()[0] for line in client.get(address).text.splitlines()] == [
            "app/",
            "logs/",
        ]
        assert client.get(f"{address}/startup").status_code == 403
        assert client.get(f"{address}/logs/stdout.log", auth=("", "")).status_code == 401
    assert found["stats"]["cores"] == os.cpu_count()


def test_a_dea_is_a_component_with_pages(shared: Dea) -> None:
    told = shared.bus.ask("vcap.component.discover", {})
    assert (told["type"], told["uuid"]) == ("DEA", shared.id)
    user, password = told["credentials"]
    with httpx.Client(auth=(user, password), trust_env=False) as client:
        assert client.get(f"http://{told['host']}/healthz").text == "ok\n"
        assert client.get(f"http://{told['host']}/varz").json()["max_memory"] == 4096
    assert password not in shared.log


def test_debugger_and_console_have_ports(shared: Dea, droplet: Make) -> None:
    info = {"debug_env": {"run": ["MODE=run"]}}
    shared.run("debug", *droplet(SERVE), debug="run", console=True, runtime_info=info)
    where = shared.bus.wait("router.register", app="debug")
    found = shared.bus.ask("dea.find.droplet", {"droplet": "debug"})
    env = dict(line.split("=", 1) for line in page(where, "env").splitlines() if "=" in line)
    assert env["VCAP_DEBUG_PORT"] == str(found["debug_port"])
    assert env["VCAP_CONSOLE_PORT"] == str(found["console_port"])
    assert len({where["port"], found["debug_port"], found["console_port"]}) == 3
    assert env["MODE"] == "run"
