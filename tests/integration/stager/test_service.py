"""Stagers on the bus: sharing work, waiting, draining, surviving, being lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import nats
import pytest

from support.cloud import LOGIN, Cloud, zipped
from support.nats_server import NatsServer, nats_server
from support.processes import children
from support.stagers import UNUSUAL_APP, Stagers, buildpack, properties, stagers
from support.waiting import until
from vr.errors import Unwanted
from vr.machine.processes import is_alive
from vr.stager import events
from vr.stager.client import StagingReply


def test_a_sinatra_app_becomes_the_documented_droplet(common: Stagers, app: str) -> None:
    common.cloud.apps[app] = UNUSUAL_APP
    uploads = common.cloud.uploads.get(app, 0)
    answer = common.raw(json.dumps(common.request(app)).encode())
    assert set(answer) == {"task_id", "task_log"}
    assert re.fullmatch(r"[0-9a-f]{32}", answer["task_id"])
    lines = answer["task_log"].splitlines()
    stamped = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] (.*)")
    assert [stamped.fullmatch(line)[1] for line in lines] == [  # type: ignore[index]
        "Setting up temporary directories",
        "Downloading application",
        "Unpacking application",
        "Staging application",
        "Auto-reconfiguration disabled because app does not use Bundler.",
        "Please provide a Gemfile.lock to use auto-reconfiguration.",
        "Creating droplet",
        "Uploading droplet",
        "Done!",
    ]
    assert common.cloud.uploads[app] == uploads + 1
    assert {"./app/app.rb", "./app/.hidden", "./logs", "./tmp", "./stop"} <= set(common.names(app))
    assert common.scripts(app)["startup"] == (
        "#!/bin/bash\n"
        'export RACK_ENV="${RACK_ENV:-production}"\n'
        'export RUBYOPT="-I$PWD/ruby -rstdsync"\n'
        'export TMPDIR="$PWD/tmp"\n'
        "mkdir -p ruby\n"
        'echo "\\$stdout.sync = true" > ./ruby/stdsync.rb\n'
        "cd app\n"
        "%VCAP_LOCAL_RUNTIME% app.rb $@ > ../logs/stdout.log 2> ../logs/stderr.log &\n"
        "STARTED=$!\n"
        'echo "$STARTED" >> ../run.pid\n'
        "wait $STARTED\n"
    )


def test_credentials_in_addresses_are_decoded_used_and_kept_quiet(
    common: Stagers, app: str
) -> None:
    common.cloud.apps[app] = UNUSUAL_APP
    stager = common.running[0]
    uploads = common.cloud.uploads.get(app, 0)
    login = "cc:p%40ss%3Aw%2Frd@"
    reply = common.stage(
        app,
        download_uri=common.cloud.url("private/app", login=login),
        upload_uri=common.cloud.url("private/app", login=login),
    )
    assert reply.error is None
    assert common.cloud.uploads[app] == uploads + 1
    for secret in (LOGIN[1], "p%40ss"):
        assert secret not in stager.output


def test_three_stagers_share_a_queue_and_each_request_has_one_answer(
    pool: Stagers, app: str
) -> None:
    started = pool.start_several(3, max_active_tasks=2)
    names = [f"app{number}" for number in range(12)]
    pool.cloud.apps |= dict.fromkeys(names, pool.cloud.apps[app])
    replies = pool.ask(*(pool.request(name) for name in names))
    assert [reply.error for reply in replies] == [None] * 12
    assert pool.cloud.uploads == dict.fromkeys(names, 1)
    assert all("is done" in stager.output for stager in started)


def test_the_log_is_seen_while_the_task_runs(pool: Stagers, app: str) -> None:
    pool.start()
    seen: list[str] = []
    waiting = pool.ask_later(*pool.gated(1), on_line=seen.append)
    until(lambda: seen[-1:] == ["Downloading application"], "the download's line is seen")
    assert not waiting.done()
    pool.cloud.gate.set()
    assert waiting.result()[0].error is None
    assert seen[-1] == "Done!"


def test_a_full_stager_passes_a_request_to_an_idle_one(pool: Stagers, app: str) -> None:
    pool.start_several(3, max_active_tasks=1)
    waiting = pool.ask_later(*pool.gated(3))
    # Whichever stagers the bus has chosen, all three get one.
    pool.cloud.until_waiting(3)
    pool.cloud.gate.set()
    assert [reply.error for reply in waiting.result()] == [None] * 3


def test_requests_wait_when_all_are_full_and_too_many_are_refused(pool: Stagers, app: str) -> None:
    pool.start(max_active_tasks=1, max_queued_tasks=1)
    waiting = pool.ask_later(*pool.gated(3))
    pool.cloud.until_waiting(1)
    pool.running[0].shows("All stagers are busy")
    pool.cloud.gate.set()
    errors = sorted(reply.error or "" for reply in waiting.result())
    assert errors[:2] == ["", ""]
    assert errors[2].startswith("Staging task failed:\n All stagers are busy: here 1 tasks run")


def test_a_waiting_request_goes_to_the_stager_that_becomes_idle(pool: Stagers, app: str) -> None:
    pool.start(max_active_tasks=1)
    waiting = pool.ask_later(*pool.gated(2))
    pool.cloud.until_waiting(1)
    late = pool.start(max_active_tasks=1)
    pool.cloud.until_waiting(2)
    pool.cloud.gate.set()
    assert [reply.error for reply in waiting.result()] == [None, None]
    assert "is done" in late.output


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGINT])
def test_a_stager_drains(pool: Stagers, app: str, number: signal.Signals) -> None:
    stager = pool.start(max_active_tasks=1)
    assert stager.pid_file.read_text().strip() == str(stager.process.pid)
    waiting = pool.ask_later(*pool.gated(2))
    pool.cloud.until_waiting(1)
    stager.process.send_signal(number)
    stager.shows("Waiting for remaining 2 task(s) to finish.")
    refused = pool.ask(pool.request("late"), attempts=1)[0]
    assert refused.error and "No stager serves the queue" in refused.error
    pool.cloud.gate.set()
    assert [reply.error for reply in waiting.result()] == [None, None]
    assert stager.process.wait(20) == 0
    assert "Shutdown initiated." in stager.output
    assert stager.output.rstrip().endswith("Shutdown complete")
    assert not stager.pid_file.exists()


def test_a_restart_of_nats_loses_no_answer(controller: Cloud, app: str, tmp_path: Path) -> None:
    with (
        nats_server(tmp_path / "nats") as own,
        stagers(own, controller, tmp_path / "stagers") as pool,
    ):
        stager = pool.start()
        waiting = pool.ask_later(*pool.gated(1))
        pool.cloud.until_waiting(1)
        own.stop()
        stager.shows("Lost the NATS server")
        pool.cloud.gate.set()
        stager.shows("is done")
        own.start()
        assert waiting.result() == [
            StagingReply(waiting.result()[0].task_id, waiting.result()[0].task_log)
        ]
        assert pool.cloud.uploads == {"app0": 1}
        assert pool.stage(app).error is None


def test_a_stager_waits_for_nats(controller: Cloud, app: str, tmp_path: Path) -> None:
    late = NatsServer(tmp_path)
    with stagers(late, controller, tmp_path / "stagers") as pool:
        try:
            (stager,) = pool.launch(1)
            stager.shows("Waiting for the NATS server")
            late.start()
            stager.shows("Server running")
            assert pool.stage(app).error is None
        finally:
            for each in pool.running:
                each.stop()
            late.stop()


def test_it_says_that_it_runs_only_when_the_server_knows_what_it_serves(pool: Stagers) -> None:
    with slow_way_to(pool.nats.port, holds=f"SUB {pool.queue}".encode()) as (port, held, go_on):
        (stager,) = pool.launch(1, nats_uri=f"nats://127.0.0.1:{port}")
        assert held.wait(20)
        stager.shows("Subscribed to")
        assert "Server running" not in stager.output
        go_on.set()
        stager.shows("Server running")
        stager.stop()


@contextmanager
def slow_way_to(port: int, *, holds: bytes) -> Iterator[tuple[int, Event, Event]]:
    """A port that leads to another one, but keeps what holds these bytes, and all after it.

    Gives the port, what is set when they came, and what to set so that they go on.
    """
    held, go_on = Event(), Event()

    def carry(source: socket.socket, target: socket.socket, *, towards: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if towards and holds in data:
                    held.set()
                    go_on.wait(60)
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.create_connection(("127.0.0.1", port))
                for source, target, towards in ((here, there, True), (there, here, False)):
                    Thread(target=carry, args=(source, target), kwargs={"towards": towards}).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve).start()
        try:
            yield listener.getsockname()[1], held, go_on
        finally:
            go_on.set()
            listener.shutdown(socket.SHUT_RDWR)


def test_a_new_server_for_tasks_leaves_nothing_either(pool: Stagers, app: str) -> None:
    stager = pool.start(max_active_tasks=1)
    assert pool.stage(app).error is None
    for each in children(stager.process.pid):
        if b"forkserver" in Path(f"/proc/{each}/cmdline").read_bytes():
            os.kill(each, signal.SIGKILL)
            # A task that it was given in the moment of its death dies with it.
            until(lambda pid=each: not is_alive(pid), "the server for tasks has ended")
    assert pool.stage(app).error is None
    assert pool.stage(app).error is None
    assert [path for path in pool.tmp.iterdir() if path.is_socket()] == []


def test_a_killed_stager_is_noticed_and_its_remains_are_removed(
    pool: Stagers, app: str, tmp_path: Path
) -> None:
    first = pool.start()
    pool.cloud.apps["slow"] = zipped({"a": "b"})
    pack = buildpack(tmp_path, "setsid sleep 654 & sleep 654")
    request = pool.request("slow", properties=properties("buildpack", buildpack=pack))
    waiting = pool.ask_later(request, attempts=1, lost_after=2)
    until(pool.processes, "the buildpack runs")
    first.process.kill()
    reply = waiting.result()[0]
    assert reply.error and re.search(r"The stager [0-9a-f]{32} was lost", reply.error)
    pool.start()
    until(lambda: pool.workspaces == [], "the other stager has removed the workspace")


def test_a_request_is_sent_again_when_its_stager_is_lost(pool: Stagers, app: str) -> None:
    first = pool.start()
    waiting = pool.ask_later(*pool.gated(1), attempts=2, lost_after=2)
    pool.cloud.until_waiting(1)
    pool.start()
    first.process.kill()
    pool.cloud.until_waiting(2)
    pool.cloud.gate.set()
    assert waiting.result()[0].error is None
    assert pool.cloud.uploads == {"app0": 1}


@pytest.mark.parametrize("places", [1, 2], ids=["waits for a place", "runs"])
def test_a_task_that_is_not_wanted_any_more_ends_and_leaves_nothing(
    pool: Stagers, app: str, tmp_path: Path, places: int
) -> None:
    pool.start(max_active_tasks=places)
    pool.cloud.apps["slow"] = zipped({"a": "b"})
    pack = buildpack(tmp_path, "setsid sleep 654 & sleep 654")
    other = pool.ask_later(*pool.gated(1)) if places == 1 else None
    if other:
        pool.cloud.until_waiting(1)
    request = pool.request("slow", properties=properties("buildpack", buildpack=pack))
    given_up = Event()

    def check() -> None:
        if given_up.is_set():
            raise Unwanted("Cancelled.")

    waiting = pool.ask_later(request, check=check)
    if not other:
        until(pool.processes, "the buildpack runs")
    given_up.set()
    with pytest.raises(Unwanted):
        waiting.result(20)
    pool.cloud.gate.set()
    if other:
        assert other.result(20)[0].error is None
    until(lambda: not pool.processes() and pool.workspaces == [], "nothing is left", seconds=20)
    assert pool.stage(app).error is None
    assert "slow" not in pool.cloud.uploads


def test_tasks_tell_that_they_are_alive(pool: Stagers, app: str) -> None:
    pool.start()

    async def follow() -> list[events.TaskEvent]:
        client = await nats.connect(pool.nats.uri)
        heard: list[events.TaskEvent] = []

        async def listen(message: Any) -> None:
            event = events.decode(message.data)
            assert event
            heard.append(event)

        await client.subscribe("vstager.task.*", cb=listen)
        request = pool.gated(1)[0] | {"task_id": "0123456789abcdef" * 2}
        await client.publish(pool.queue, json.dumps(request).encode())
        while not any(event.event == "alive" for event in heard):
            await asyncio.sleep(0.02)
        pool.cloud.gate.set()
        while heard[-1].event != "finished":
            await asyncio.sleep(0.02)
        await client.close()
        return heard

    heard = asyncio.run(asyncio.wait_for(follow(), 20))
    assert {event.task_id for event in heard} == {"0123456789abcdef" * 2}
    assert [event.event for event in heard[:2]] == ["accepted", "started"]


def test_secure_tasks_run_as_users_of_their_own(pool: Stagers, tmp_path: Path) -> None:
    pool.start(secure=True, users={"first": 29000, "count": 2})
    pool.cloud.apps |= {name: zipped({"a": name}) for name in ("one", "two")}
    pack = buildpack(tmp_path, "id -u; id -g; touch /home/vcap/beside || echo kept out; sleep 0.5")
    replies = pool.ask(
        *(
            pool.request(name, properties=properties("buildpack", buildpack=pack))
            for name in ("one", "two")
        )
    )
    users = {re.findall(r"\] (29\d\d\d)\n", reply.task_log)[0] for reply in replies}
    assert users == {"29000", "29001"}
    assert all("kept out" in reply.task_log for reply in replies)
