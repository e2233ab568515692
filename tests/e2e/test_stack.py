"""`vr up`, `vr down`, `vr status`: start what is down, stop all, and say what is wrong."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.big_folders import big_folder
from support.stack import BIN, Stack
from support.waiting import until
from vr.up import leftovers


@pytest.fixture
def own() -> Iterator[Stack]:
    """A stack that a test may start, break and stop."""
    one = Stack(big_folder("vr-own-"))
    yield one
    one.remove()
    assert one.leftovers() == []


def test_up_twice_then_down_leaves_nothing(own: Stack) -> None:
    assert own.vr("status", check=False).returncode == 1
    own.up()
    pid = own.pid_of("web")
    own.up()
    assert own.pid_of("web") == pid, "a second vr up leaves what runs alone"
    assert own.status()["healthy"] is True
    own.down()
    assert own.leftovers() == []
    assert "not up" in own.vr("down").stdout


def test_no_link_stops_the_stack(stack: Stack) -> None:
    """Supervisor's own pages act on GET: they are not there."""
    before = {part["name"]: part["description"].split(",")[0] for part in stack.status()["parts"]}
    transport = httpx.HTTPTransport(uds=str(stack.home / "vr" / "run" / "supervisor.sock"))
    with httpx.Client(base_url="http://localhost", transport=transport) as client:
        for page in ("/?action=stopall", "/logtail/..%3Faction=stopall", "/?action=shutdown"):
            assert client.get(page).status_code == 404
    after = {part["name"]: part["description"].split(",")[0] for part in stack.status()["parts"]}
    assert after == before


def test_secrets_and_data_are_readable_by_root_only(own: Stack) -> None:
    own.up()
    home = own.home / "vr"
    own_files = (home / "cli.json", home / "velociraptor.sqlite3", home / ".lock")
    for path in [*(home / "secrets").iterdir(), *own_files]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    password = (home / "secrets" / "admin-password").read_text().strip()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                assert password not in (folder / "cmdline").read_text(errors="replace")
            except OSError:
                continue
    logs = "".join(path.read_text(errors="replace") for path in (home / "logs").iterdir())
    assert password not in logs


def test_a_taken_port_is_named_before_anything_starts(own: Stack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", own.http_port))
        taken.listen()
        done = own.vr("up", check=False)
    assert done.returncode == 2
    assert f"port {own.http_port}" in done.stderr
    assert "VR_HTTP_PORT" in done.stderr
    assert own.leftovers() == []


def test_a_part_that_does_not_get_healthy_is_named_with_the_end_of_its_log(own: Stack) -> None:
    own.up()
    own.down()
    # A pool file that nginx refuses: it can't start.
    (own.home / "vr" / "etc" / "pools" / "bad.conf").write_text("nonsense;\n")
    done = own.vr("up", check=False)
    assert done.returncode == 1
    assert "nginx" in done.stderr
    assert "nonsense" in done.stderr


def test_a_killed_supervisord_takes_all_with_it_and_up_starts_again(own: Stack) -> None:
    own.up()
    pid = int((own.home / "vr" / "run" / "supervisord.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    until(lambda: own.leftovers() == [], "the parts end with supervisord", seconds=30)
    own.up()
    assert own.status()["healthy"] is True


def nginx_processes(stack: Stack) -> list[int]:
    """The master and the workers of the stack's nginx."""
    return leftovers.working_in([stack.home / "vr" / "run" / "parts" / "nginx"])


def nginx_has_a_master(stack: Stack) -> bool:
    problems = {part["name"]: part["problem"] for part in stack.status()["parts"]}
    return problems["nginx"] == ""


def test_a_killed_nginx_master_is_replaced_and_its_workers_go(own: Stack) -> None:
    own.up()
    killed, before = own.pid_of("nginx"), set(nginx_processes(own))
    assert len(before) > 1
    os.kill(killed, signal.SIGKILL)
    until(lambda: nginx_has_a_master(own), "a new master has the port", seconds=30)
    assert own.pid_of("nginx") != killed
    until(lambda: not before & set(nginx_processes(own)), "no former worker is left", seconds=30)
    own.down()
    assert nginx_processes(own) == []


@pytest.mark.parametrize("command", ["up", "down"])
def test_workers_that_lost_master_and_supervisord_are_ended(own: Stack, command: str) -> None:
    own.up()
    supervisord = int((own.home / "vr" / "run" / "supervisord.pid").read_text())
    master = own.pid_of("nginx")
    # Stopped first, so that it neither starts another master nor ends the one in time.
    os.kill(supervisord, signal.SIGSTOP)
    os.kill(master, signal.SIGKILL)
    os.kill(supervisord, signal.SIGKILL)
    until(lambda: own.status()["up"] is False, "supervisord is gone")
    orphans = set(nginx_processes(own))
    assert orphans, "the workers live on with the port"
    own.vr(command)
    assert not orphans & set(nginx_processes(own))
    assert own.status()["up"] is (command == "up")


def test_a_supervisord_without_its_socket_is_found_and_ended(own: Stack) -> None:
    own.up()
    (own.home / "vr" / "run" / "supervisor.sock").unlink()
    assert "does not answer" in own.vr("down").stderr
    assert own.leftovers() == []


def test_up_brings_the_procs_back_after_stop_all_but_not_one_that_was_stopped(
    stack: Stack, shop: str
) -> None:
    def control(*words: str) -> None:
        conf = str(stack.home / "vr" / "etc" / "supervisord.conf")
        subprocess.run(
            [str(BIN / "supervisorctl"), "-c", conf, *words], check=True, capture_output=True
        )

    def states() -> dict[str, str]:
        return {part["name"]: part["state"] for part in stack.status()["parts"]}

    one, other = (name for name in stack.procs() if name.startswith("shop-"))
    version = stack.version("shop")
    control("stop", "all")
    assert set(states().values()) == {"STOPPED"}
    said = stack.vr("up").stderr
    assert "2 procs up" in said
    assert states()[one] == states()[other] == "RUNNING"
    assert stack.version("shop") == version

    control("stop", one)
    said = stack.vr("up").stderr
    assert states()[one] == "STOPPED"
    assert f"{one} is STOPPED" in said
    assert "accepts no connections" in said
    control("start", one)
