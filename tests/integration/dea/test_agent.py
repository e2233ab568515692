"""The DEA on the bus: starting, limits, stopping, crashing, evacuating, being killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.deas import SERVE, Dea, page
from support.waiting import until
from vr.container import cgroups
from vr.dea.folders import container_name

Make = Callable[..., tuple[str, Path]]


def instance_folder(dea: Dea) -> Path:
    (folder,) = (dea.base / "instances").iterdir()
    return folder


def test_an_instance_is_announced_found_updated_and_stopped(shared: Dea, droplet: Make) -> None:
    bus = shared.bus
    bus.say("dea.locate", {})
    assert bus.wait("dea.advertise", id=shared.id)["available_memory"] == 4096
    shared.run("shop", *droplet(SERVE))
    where = bus.wait("router.register", app="shop")
    (part,) = bus.wait("dea.heartbeat", dea=shared.id)["droplets"]
    assert (part["state"], part["index"], part["version"]) == ("RUNNING", 0, "1")
    assert bus.messages("dea.advertise", available_memory=4096 - 128)

    found = bus.ask("dea.find.droplet", {"droplet": "shop", "include_stats": True})
    assert found["instance"] == part["instance"] == where["private_instance_id"]
    assert found["stats"]["port"] == where["port"]
    status = bus.ask("dea.status", {})
    assert (status["num_clients"], status["reserved_memory"]) == (1, 128)

    bus.say("dea.update", {"droplet": "shop", "uris": ["new.example.org"]})
    assert bus.wait("router.unregister", uris=["shop.example.org"])["port"] == where["port"]
    bus.wait("router.register", uris=["new.example.org"])

    logs = instance_folder(shared) / "droplet" / "logs" / "signals"
    bus.say("dea.stop", {"droplet": "shop", "indices": [7]})
    bus.say("dea.stop", {"droplet": "shop", "instances": "all"})
    assert not bus.messages("droplet.exited")
    bus.say("dea.stop", {"droplet": "shop"})
    exited = bus.wait("droplet.exited", droplet="shop")
    assert exited["reason"] == "STOPPED"
    bus.wait("router.unregister", uris=["new.example.org"])
    until(lambda: not list((shared.base / "instances").iterdir()), "its folder is gone")
    assert not logs.exists()
    assert "filter: instances: must be a list" in shared.log


def test_of_an_app_that_crashes_the_last_crash_is_kept(shared: Dea, droplet: Make) -> None:
    made = droplet("exit 4")
    for index in (0, 1):
        shared.run("again", *made, index=index)
        shared.bus.wait("droplet.exited", droplet="again", index=index)
    until(lambda: len(list((shared.base / "instances").iterdir())) == 1, "one folder is left")
    assert shared.bus.ask("dea.find.droplet", {"droplet": "again"})["index"] == 1


def test_the_environment_is_the_documented_one(shared: Dea, droplet: Make) -> None:
    binding = {"label": "sql", "name": "db", "credentials": {"password": "it's $HOME `id`"}}
    shared.run("env", *droplet(SERVE), env=["A=1", "B=$A-2", "PORT=1"], services=[binding])
    where = shared.bus.wait("router.register", app="env")
    env = dict(line.split("=", 1) for line in page(where, "env").splitlines() if "=" in line)
    assert env["PORT"] == env["VCAP_APP_PORT"] == str(where["port"])
    assert (env["A"], env["B"], env["HOME"]) == ("1", "1-2", "/home/vcap")
    services = json.loads(env["VCAP_SERVICES"])
    assert services["sql"][0]["credentials"] == {"password": "it's $HOME `id`"}
    application = json.loads(env["VCAP_APPLICATION"])
    assert application["limits"] == {"mem": 128, "disk": 64, "fds": 256}
    assert application["uris"] == ["env.example.org"]
    assert "NATS" not in json.dumps(env)


def test_each_instance_is_alone_and_its_limits_hold(shared: Dea, droplet: Make) -> None:
    made = droplet(
        "cd app; { ulimit -n; id -u; ps -e | wc -l; ulimit -f; touch /etc/x /opt/x; "
        "ls /root; } > facts 2>&1; python3 -m http.server $PORT"
    )
    shared.run("one", *made)
    shared.run("two", *made)
    first, second = (shared.bus.wait("router.register", app=name) for name in ("one", "two"))
    facts = [page(where, "facts").splitlines() for where in (first, second)]
    assert [each[0] for each in facts] == ["256", "256"]
    assert facts[0][1] != facts[1][1]
    assert facts[0][3] == str(2 * 64 * 1024), "no file may be larger than twice the disk limit"
    assert all(int(each[1]) >= 24001 and int(each[2]) < 8 for each in facts)
    assert all("Read-only file system" in " ".join(each) for each in facts)


@pytest.mark.parametrize(
    ("startup", "status", "description"),
    [
        ("exit 3", 3, "It ended with status 3."),
        ("exit 0", 0, "It ended with status 0."),
        (
            "python3 -c 'x = bytearray(400 << 20)'; exit $?",
            137,
            "Memory limit of 128M exceeded. Actual usage was 144M",
        ),
        ("sleep 100", None, "It was not ready after 1 seconds."),
        (
            "python3 -m http.server $PORT & sleep 1; head -c 90M /dev/zero > app/big; wait",
            None,
            "Disk usage limit of 64M exceeded.",
        ),
    ],
    ids=["status 3", "status 0", "memory", "never ready", "disk"],
)
def test_what_ends_unasked_has_crashed_and_is_not_restarted(
    shared: Dea, droplet: Make, startup: str, status: int | None, description: str
) -> None:
    patience = 1 if startup == "sleep 100" else 30
    shared.run("bad", *droplet(startup), health_check_timeout=patience)
    exited = shared.bus.wait("droplet.exited", droplet="bad")
    assert (exited["reason"], exited.get("exit_status")) == ("CRASHED", status)
    assert description in exited["exit_description"]
    assert shared.bus.ask("dea.find.droplet", {"droplet": "bad"})["state"] == "CRASHED"
    assert (instance_folder(shared) / "startup.log").exists()
    note = instance_folder(shared) / "droplet" / "logs" / "err.log"
    assert note.exists() == ("exceeded" in description)
    shared.bus.say("dea.stop", {"droplet": "bad"})
    until(lambda: not list((shared.base / "instances").iterdir()), "its folder is gone")
    assert len(shared.bus.messages("droplet.exited")) == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"sha1": None}, "sha1: is missing"),
        ({"sha1": "../../../etc/passwd"}, "sha1: must be 40 hexadecimal digits"),
        ({"executableFile": None}, "executableUri: is missing"),
        ({"runtime": "cobol"}, "The runtime 'cobol' is not offered here"),
        ({"runtime": "ruby", "runtime_info": {"version": "99.1"}}, "older than 99.1"),
        ({"limits": {"mem": 99999}}, "99999 MB are wanted"),
        ({"limits": {"mem": -1}}, "limits.mem: must be at least 1"),
        ({"env": ["1=2"]}, "env: '1' is not of the form NAME=VALUE"),
        ({"uris": "x"}, "uris: "),
    ],
)
def test_start_messages_that_are_refused(
    shared: Dea, droplet: Make, changes: dict[str, Any], complaint: str
) -> None:
    shared.run("no", *droplet("exit 1"), **changes)
    until(lambda: complaint in shared.log, f"the log says {complaint!r}")
    shared.bus.say(f"dea.{shared.id}.start", b"{")
    assert shared.bus.ask("dea.status", {})["num_clients"] == 0


def test_a_wrong_checksum_is_a_crash_that_says_so(shared: Dea, droplet: Make) -> None:
    _sha1, path = droplet("exit 1")
    shared.run("wrong", "0" * 40, path)
    exited = shared.bus.wait("droplet.exited", droplet="wrong")
    assert exited["exit_description"].startswith("SHA1 mismatch: ")
    assert not (shared.base / "staged" / f"{'0' * 40}.tgz").exists()


def test_droplets_are_kept_by_checksum(dea: Dea, droplet: Make) -> None:
    dea.start()
    sha1, path = droplet(SERVE)
    dea.run("kept", sha1, path)
    dea.bus.wait("router.register", app="kept")
    path.unlink()
    dea.run("kept", sha1, path, index=1)
    until(lambda: len(dea.bus.messages("router.register", app="kept")) == 2, "both are running")
    assert [each.name for each in (dea.base / "staged").glob("*.tgz")] == [f"{sha1}.tgz"]


def test_only_runtimes_that_are_here_are_offered(dea: Dea) -> None:
    dea.start(runtimes={"sh": "/bin/sh", "cobol": "/opt/cobol/bin/cobol"})
    assert dea.bus.wait("dea.advertise", id=dea.id)["runtimes"] == ["sh"]
    question = {"droplet": "x", "limits": {"mem": 1}, "runtime": "cobol"}
    with pytest.raises(TimeoutError):
        dea.bus.ask("dea.discover", question, seconds=0.5)
    assert dea.bus.ask("dea.discover", question | {"runtime": "sh"})["id"] == dea.id
    assert "The runtime cobol is not offered: there is no executable" in dea.log


def test_only_a_dea_with_room_offers_itself(dea: Dea, droplet: Make) -> None:
    dea.start(max_memory=200)
    question = {"droplet": "x", "limits": {"mem": 150}, "runtime": "ruby"}
    assert dea.bus.ask("dea.discover", question)["id"] == dea.id
    dea.run("first", *droplet(SERVE))
    dea.bus.wait("router.register", app="first")
    with pytest.raises(TimeoutError):
        dea.bus.ask("dea.discover", question, seconds=0.5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_shutdown_stops_all_and_says_so(dea: Dea, droplet: Make, number: signal.Signals) -> None:
    dea.start()
    dea.run("app", *droplet(SERVE))
    dea.bus.wait("router.register", app="app")
    assert dea.stop(number) == 0
    assert dea.bus.wait("droplet.exited", droplet="app")["reason"] == "DEA_SHUTDOWN"
    assert not list((dea.base / "instances").iterdir())


def test_evacuation_announces_keeps_serving_and_then_ends(dea: Dea, droplet: Make) -> None:
    dea.start(evacuation_delay=1.5)
    dea.run("app", *droplet(SERVE))
    where = dea.bus.wait("router.register", app="app")
    assert dea.process
    dea.process.send_signal(signal.SIGUSR2)
    assert dea.bus.wait("droplet.exited", droplet="app")["reason"] == "DEA_EVACUATION"
    assert "PORT=" in page(where, "env")
    dea.run("late", *droplet("exit 1"))
    assert dea.process.wait(20) == 0
    assert len(dea.bus.messages("droplet.exited")) == 1


def test_a_killed_dea_leaves_nothing_and_its_successor_reports(dea: Dea, droplet: Make) -> None:
    dea.start()
    dea.run("app", *droplet(SERVE))
    dea.bus.wait("router.register", app="app")
    name = container_name(instance_folder(dea).name)
    assert dea.process
    dea.process.kill()
    dea.process.wait()
    until(lambda: not cgroups.processes(name), "the kernel has ended the container")
    dea.start()
    exited = dea.bus.wait("droplet.exited", droplet="app")
    assert (exited["reason"], exited["exit_description"]) == ("CRASHED", "Its DEA was killed.")
    until(lambda: not list((dea.base / "instances").iterdir()), "its folder is gone")


def test_a_restart_of_nats_leaves_apps_running(dea: Dea, droplet: Make) -> None:
    dea.start(intervals={"register": 0.5})
    dea.run("app", *droplet(SERVE))
    where = dea.bus.wait("router.register", app="app")
    dea.nats.stop()
    assert "PORT=" in page(where, "env")
    dea.nats.start()
    dea.bus.heard.clear()
    dea.bus.wait("router.register", app="app")


def test_the_command_starts_and_stops_a_droplet(dea: Dea, droplet: Make) -> None:
    dea.start()
    _sha1, path = droplet(SERVE)

    def vdea(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vr.dea.main", *arguments, "--nats", dea.nats.uri],
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    done = vdea("start", str(path), "--name", "mine", "--env", "X=y")
    assert done.returncode == 0, done.stderr
    assert "X=y" in httpx.get(f"{done.stdout.strip()}env", trust_env=False).text
    assert "vdea stop mine" in done.stderr
    assert vdea("stop", "mine").stdout == "mine: 1 instance(s) stopped\n"
    assert "No DEA runs a droplet 'mine'" in vdea("stop", "mine").stderr
    assert "No DEA can take" in vdea("start", str(path), "--runtime", "cobol").stderr
    path.write_text("no droplet")
    assert "is no droplet" in vdea("start", str(path)).stderr
