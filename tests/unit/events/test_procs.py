"""The proc object that the API, the streams and the pages share."""

from __future__ import annotations

from vr.events.procs import HostState, proc_object
from vr.events.stream import shorten

INFO = {
    "name": "shop-v1.2-prod-1a2b3c4d-web-5003",
    "group": "shop-v1.2-prod-1a2b3c4d-web-5003",
    "description": "pid 42, uptime 0:00:10",
    "state": 20,
    "statename": "RUNNING",
    "start": 1_700_000_000,
    "stop": 0,
    "now": 1_700_000_010,
    "pid": 42,
    "exitstatus": 0,
    "spawnerr": "",
    "logfile": "/apps/log",
    "stdout_logfile": "/apps/log",
    "stderr_logfile": "",
}


def test_a_proc_of_ours_shows_the_parts_of_its_name() -> None:
    proc = proc_object("host1", INFO)
    assert proc["id"] == "host1-shop-v1.2-prod-1a2b3c4d-web-5003"
    assert (proc["app_name"], proc["version"], proc["config_name"]) == ("shop", "v1.2", "prod")
    assert (proc["hash"], proc["proc_name"], proc["port"]) == ("1a2b3c4d", "web", 5003)
    assert proc["jsname"] == "shop-v1dot2-prod-1a2b3c4d-web-5003"
    assert proc["start_time"] == "2023-11-14T22:13:20+00:00"
    assert proc["stop_time"] is None


def test_a_foreign_program_keeps_its_name_and_the_rest_is_unknown() -> None:
    proc = proc_object("host1", {**INFO, "name": "redis", "group": "redis"})
    assert (proc["app_name"], proc["proc_name"]) == ("redis", "redis")
    assert proc["version"] == proc["config_name"] == proc["hash"] == "UNKNOWN"
    assert proc["port"] == 0


def test_a_host_that_never_spoke_or_stopped_speaking_is_silent() -> None:
    assert HostState("h", None).is_silent(1000)
    assert HostState("h", 1000 - 130 - 1).is_silent(1000)
    assert not HostState("h", 999).is_silent(1000)


def test_a_host_that_speaks_often_is_missed_soon() -> None:
    assert not HostState("h", 988, pace=5).is_silent(1000)
    assert HostState("h", 987, pace=5).is_silent(1000)


def test_long_messages_keep_their_ends() -> None:
    long = "a" * 9_000 + "b" * 9_000
    short = shorten(long)
    assert short.startswith("a" * 5_000)
    assert short.endswith("b" * 5_000)
    assert "snip" in short
    assert shorten("x" * 9_999) == "x" * 9_999
