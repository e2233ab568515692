"""proc_publisher under a real supervisord, with a real Redis; and the RPC plugin."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import pytest
import redis
from supervisor.xmlrpc import SupervisorTransport

from support.redis_server import redis_server
from support.supervisord import supervisord
from support.waiting import until
from vr.agent.disk_watch import DiskWatch
from vr.agent.publisher import Publisher
from vr.events.procs import CHANNEL, ProcBoard
from vr.hosts.supervisor import Supervisor
from vr.paths import Root

HOST = "web1.example.com"
PROC = "shop-v1-prod-0123abcd-web-5000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "programs").mkdir()
    return tmp_path


@pytest.fixture
def supervisor(folder: Path) -> Iterator[Supervisor]:
    """A supervisord with the publisher, whose Redis is not there yet."""
    listener = f"""\
[eventlistener:proc_publisher]
command={Path(sys.executable).parent}/proc_publisher
events=PROCESS_STATE,PROCESS_GROUP,TICK_5
environment=REDIS_URL="unix://{folder}/redis/redis.sock",HOSTNAME="{HOST}",VR_ROOT="{folder}"
stderr_logfile={folder}/publisher.log
"""
    with supervisord(folder / "supervisor", f"{folder}/programs/*.conf", listener) as url:
        yield Supervisor(HOST, url)


@pytest.fixture
def board(folder: Path, supervisor: Supervisor) -> Iterator[tuple[ProcBoard, Any]]:
    """The board, and a subscription to its channel."""
    with redis_server(folder / "redis") as url:
        connection = redis.Redis.from_url(url, decode_responses=True)
        changes = connection.pubsub(ignore_subscribe_messages=True)
        changes.subscribe(CHANNEL)
        yield ProcBoard(connection), changes
        changes.close()
        connection.close()


def program(folder: Path, name: str) -> None:
    (folder / "programs" / f"{name}.conf").write_text(
        f"[program:{name}]\ncommand=sleep 1000\nstartsecs=0\n"
    )


def wait_for_event(changes: Any, event: str) -> dict[str, Any]:
    """The next message about PROC of this kind."""

    def found() -> dict[str, Any] | None:
        message = changes.get_message(timeout=0.1)
        data = json.loads(message["data"]) if message else {}
        # The publisher itself comes to run at about the same time.
        is_it = (data.get("event"), data.get("name")) == (event, PROC)
        return data if is_it else None

    return until(found, event)


def test_every_change_is_published_also_after_redis_was_away(
    folder: Path, supervisor: Supervisor, board: tuple[ProcBoard, Any]
) -> None:
    states, changes = board
    program(folder, PROC)
    supervisor.reload()
    supervisor.add(PROC)
    running = wait_for_event(changes, "PROCESS_STATE_RUNNING")
    assert (running["name"], running["host"], running["port"]) == (PROC, HOST, 5000)
    assert running["statename"] == "RUNNING" and running["group"] == PROC
    until(lambda: _names(states) >= {PROC, "proc_publisher"}, "the list has it")
    state = states.read([HOST])[HOST]
    assert not state.is_silent(time.time())

    supervisor.stop(PROC)
    assert wait_for_event(changes, "PROCESS_STATE_STOPPED")["pid"] == 0
    until(lambda: supervisor.remove(PROC), "it has stopped")
    removed = wait_for_event(changes, "PROCESS_GROUP_REMOVED")
    assert removed["id"] == f"{HOST}-{PROC}" and removed["app_name"] == "shop"
    until(lambda: PROC not in _names(states), "the list has lost it")


def test_a_proc_that_ends_and_is_started_again_and_again_is_told_as_such(
    folder: Path, supervisor: Supervisor, board: tuple[ProcBoard, Any]
) -> None:
    states, changes = board
    # It is RUNNING at once each time, and Supervisor never gives it up.
    (folder / "programs" / f"{PROC}.conf").write_text(
        f"[program:{PROC}]\ncommand=sleep 0.2\nstartsecs=0\nautorestart=true\n"
    )
    supervisor.reload()
    supervisor.add(PROC)
    until(lambda: _proc(states)["restarts"] >= 3, "its restarts are counted")
    told = _proc(states)
    assert told["statename"] == "RESTARTING" and told["restarting_since"]
    until(lambda: wait_for_event(changes, "PROCESS_STATE_RUNNING")["restarts"] >= 3, "it is pushed")

    # The next publisher goes on from there.
    before = _proc(states)["restarts"]
    pid = supervisor.get("proc_publisher")["pid"]  # type: ignore[index]
    supervisor.signal("proc_publisher", "KILL")
    until(lambda: supervisor.get("proc_publisher")["pid"] not in {0, pid}, "it is back")  # type: ignore[index]
    until(lambda: _proc(states)["restarts"] > before, "it counts on")

    supervisor.stop(PROC)
    until(lambda: _proc(states)["statename"] == "STOPPED", "it is stopped")
    supervisor.start(PROC)
    until(lambda: _proc(states)["statename"] == "RUNNING", "it was started by somebody")


def test_a_proc_that_wrote_too_much_is_stopped_and_told_as_such(
    folder: Path, supervisor: Supervisor, board: tuple[ProcBoard, Any]
) -> None:
    states, _changes = board
    place = folder / "procs" / PROC
    (place / "rootfs").mkdir(parents=True)
    (place / "rootfs" / "big").write_bytes(bytes(2 << 20))
    setup = {"upper": str(place / "rootfs"), "limits": {"watched_disk": 1 << 20}}
    (place / "setup.json").write_text(json.dumps(setup))
    program(folder, PROC)
    supervisor.reload()
    supervisor.add(PROC)
    until(lambda: _proc(states)["statename"] == "OVER_DISK", "it is stopped")
    assert "it had written 2M, its limit is 1M" in _proc(states)["description"]

    # The next publisher knows it, too.
    pid = supervisor.get("proc_publisher")["pid"]  # type: ignore[index]
    supervisor.signal("proc_publisher", "KILL")
    until(lambda: supervisor.get("proc_publisher")["pid"] not in {0, pid}, "it is back")  # type: ignore[index]
    beat = states.read([HOST])[HOST].seen
    until(lambda: states.read([HOST])[HOST].seen != beat, "it has spoken")
    assert _proc(states)["statename"] == "OVER_DISK"

    (place / "rootfs" / "big").unlink()
    supervisor.start(PROC)
    until(lambda: _proc(states)["statename"] == "RUNNING", "it was started by somebody")


def test_a_list_in_which_only_clocks_go_on_is_not_written_at_each_beat(tmp_path: Path) -> None:
    class Told:
        """Supervisor's answers, one after another."""

        def __init__(self) -> None:
            self.statename, self.now = "RUNNING", 1_000

        def getAllProcessInfo(self) -> list[dict[str, Any]]:
            self.now += 5
            return [
                {"name": PROC, "statename": self.statename, "now": self.now, "start": 900}
                | {"description": f"pid 1, uptime {self.now - 900}"}
            ]

    with redis_server(tmp_path / "redis") as url:
        connection = redis.Redis.from_url(url, decode_responses=True)
        told, states = Told(), ProcBoard(connection)
        root = Root(tmp_path)
        watch = DiskWatch(root, Supervisor(HOST, f"unix://{tmp_path}/none.sock"))
        publisher = Publisher(HOST, ProcBoard(connection), told, root, watch)

        def beat() -> tuple[float, list[dict[str, Any]]]:
            publisher.refresh()
            state = states.read([HOST])[HOST]
            assert state.seen is not None
            assert state.disk is not None and 0 < state.disk.free < state.disk.total
            return state.seen, state.procs

        first, procs = beat()
        second, same = beat()
        assert second > first
        assert same is procs  # nothing was fetched

        told.statename = "FATAL"
        assert [proc["statename"] for proc in beat()[1]] == ["FATAL"]

        connection.flushall()
        assert [proc["statename"] for proc in beat()[1]] == ["FATAL"]
        connection.close()


def _proc(states: ProcBoard) -> dict[str, Any]:
    procs = states.read([HOST])[HOST].procs
    nothing = {"restarts": 0, "statename": "UNKNOWN"}
    return next((proc for proc in procs if proc["name"] == PROC), nothing)


def _names(states: ProcBoard) -> set[str]:
    return {proc["name"] for proc in states.read([HOST])[HOST].procs}


def test_the_plugin_tells_a_procs_yaml_with_its_nulls(folder: Path, supervisor: Supervisor) -> None:
    place = folder / "supervisor" / "apps" / "procs" / PROC
    place.mkdir(parents=True)
    (place / "proc.yaml").write_text("app_name: shop\nenv: null\nport: 5000\n")
    program(folder, PROC)
    program(folder, "redis")
    supervisor.reload()
    supervisor.add(PROC)
    supervisor.add("redis")
    url = f"unix://{folder}/supervisor/supervisor.sock"
    rpc = ServerProxy("http://x", transport=SupervisorTransport(None, None, url)).vr
    assert rpc.get_velociraptor_info(PROC) == {"app_name": "shop", "env": None, "port": 5000}
    assert rpc.get_velociraptor_info("redis") == {}
    assert rpc.get_velociraptor_info("../../etc-v-c-h-p-1") == {}
    both = rpc.get_proc_info(PROC)
    assert both["supervisor"]["name"] == PROC and both["velociraptor"]["app_name"] == "shop"
    names = {info["supervisor"]["name"] for info in rpc.get_all_procs_info()}
    assert {PROC, "redis"} <= names
