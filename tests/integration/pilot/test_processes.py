"""What the pilot does as PID 1, and which exit code it passes on."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from support.ports import free_ports
from support.waiting import until
from vr.machine.processes import process

# Nobody is there: an unreachable agent never keeps an application from running.
NOBODY = {"consul": "127.0.0.1:1"}


def config(**fields: Any) -> dict[str, Any]:
    return {**NOBODY, **fields}


@pytest.mark.parametrize("as_init", [False, True], ids=["child", "pid1"])
@pytest.mark.parametrize(
    ("fields", "words", "code"),
    [
        ({}, ["sh", "-c", "exit 7"], 7),
        ({}, ["sh", "-c", "kill -9 $$"], 128 + 9),
        ({}, ["/no/such/program"], 127),
        ({}, ["no-such-program-anywhere"], 127),
        ({}, ["/etc/passwd"], 126),
        ({"preStart": ["sh", "-c", "exit 3"]}, ["touch", "started"], 3),
        ({"preStart": ["sh", "-c", "kill $$"]}, ["touch", "started"], 128 + 15),
        ({"preStart": "no-such-program"}, ["touch", "started"], 127),
        ({"onStart": "true"}, ["sh", "-c", "exit 5"], 5),
        ({"postStop": ["sh", "-c", "exit 4"]}, ["sh", "-c", "exit 7"], 4),
        ({"postStop": "true"}, ["sh", "-c", "exit 7"], 7),
        ({"postStop": "no-such-program"}, ["true"], 127),
    ],
)
def test_the_exit_code(fly, fields, words, code, as_init):
    pilot = fly(config(**fields), *words, pid_namespace=as_init)
    assert pilot.wait() == code, pilot.log()
    assert not (pilot.folder / "started").exists()


def test_a_taken_metrics_port_ends_it_before_anything_starts(fly):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        telemetry = {"port": taken.getsockname()[1], "interfaces": "lo"}
        pilot = fly(config(telemetry=telemetry), "touch", "started")
        assert pilot.wait() == 1
    assert "telemetry.port: could not listen on 127.0.0.1 port" in pilot.log()
    assert not (pilot.folder / "started").exists()


def test_output_and_variables_reach_the_application_and_no_shell_is_between(fly):
    services = [{"name": "my-app", "port": 8, "interfaces": "lo", "poll": 60, "ttl": 90}]
    show = "import os, sys; print(sys.argv[1:], os.environ['CONTAINERPILOT_MY_APP_IP'], flush=True)"
    show += "; print('to stderr', file=sys.stderr); print(repr(sys.stdin.read()))"
    words = ["python3", "-c", show, "-p", "{{.PORT}}", "$HOME", "{{.CONTAINERPILOT_MY_APP_IP}}"]
    pilot = fly(config(services=services), *words, environ={"PORT": "8123"})
    assert pilot.wait() == 0
    assert "['-p', '8123', '$HOME', '127.0.0.1'] 127.0.0.1\n" in pilot.log()
    assert "to stderr\n" in pilot.log()
    assert "''\n" in pilot.log()


def test_hooks_run_in_order_around_the_application(fly):
    hooks = {hook: f"echo {hook}" for hook in ("preStart", "preStop", "postStop")}
    app = "trap 'echo app got TERM; exit 6' TERM; echo app; while true; do sleep 0.05; done"
    pilot = fly(config(**hooks), "sh", "-c", app)
    pilot.until_logged("app")
    assert pilot.terminate() == 6
    hooks_and_app = ("preStart", "app", "preStop", "postStop")
    told = [line for line in pilot.log().splitlines() if line.startswith(hooks_and_app)]
    assert told == ["preStart", "app", "preStop", "app got TERM", "postStop"]


def test_an_application_that_ignores_sigterm_is_killed_with_its_group(fly):
    app = "trap '' TERM; sleep 61.5 & echo up $!; wait; wait; sleep 61.5"
    pilot = fly(config(stopTimeout=1), "sh", "-c", app)
    pilot.until_logged("up ")
    child = int(re.search(r"up (\d+)", pilot.log()).group(1))
    assert pilot.terminate() == 128 + 9
    until(lambda: not running(child), "its child is gone too")


def test_a_negative_stop_timeout_kills_at_once(fly):
    pilot = fly(config(stopTimeout=-1), "sh", "-c", "trap 'exit 1' TERM; echo up; sleep 60 & wait")
    pilot.until_logged("up")
    assert pilot.terminate() == 128 + 9


def test_repeated_sigterms_shorten_the_wait(fly):
    settings = config(stopTimeout=60, preStop=["sh", "-c", "echo stopping; sleep 62.5"])
    pilot = fly(settings, "sh", "-c", "trap 'echo deaf' TERM; echo up; while :; do sleep 0.1; done")
    pilot.until_logged("up")
    pilot.signal(signal.SIGTERM)
    pilot.until_logged("stopping")
    pilot.signal(signal.SIGTERM)
    pilot.until_logged("deaf")
    pilot.signal(signal.SIGTERM)
    assert pilot.wait() == 128 + 9


def test_sigterm_during_prestart_keeps_the_application_from_starting(fly):
    pilot = fly(config(preStart=["sh", "-c", "echo busy; sleep 63.5"]), "touch", "started")
    pilot.until_logged("busy")
    assert pilot.terminate() == 128 + 15
    assert not (pilot.folder / "started").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_without_an_application_a_signal_ends_it_after_prestop(fly, number):
    settings = config(preStop="echo leaving", coprocesses=[{"command": "echo flying"}])
    pilot = fly(settings)
    pilot.until_logged("flying")
    pilot.signal(number)
    assert pilot.wait() == 0
    assert "leaving" in pilot.log()


def test_other_signals_are_passed_on(fly):
    app = "trap 'echo got USR2' USR2; trap 'echo got QUIT; exit 2' QUIT; echo up; "
    pilot = fly(config(), "sh", "-c", app + "while :; do sleep 0.05; done")
    pilot.until_logged("up")
    pilot.signal(signal.SIGUSR2)
    pilot.until_logged("got USR2")
    pilot.signal(signal.SIGQUIT)
    assert pilot.wait() == 2


def test_a_hanging_check_is_killed_with_its_group_and_never_runs_twice_at_once(fly):
    check = 'echo "check $$"; sleep 64.5 & sleep 64.5'
    app = {"name": "slow", "port": 1, "interfaces": "lo", "poll": 1, "ttl": 5, "timeout": "300ms"}
    app["health"] = ["sh", "-c", check]
    pilot = fly(config(services=[app]), "sleep", "60")
    pilot.until_logged("slow timeout after 300ms")
    group = int(re.search(r"check (\d+)", pilot.log()).group(1))
    until(lambda: not group_members(group), "nothing of the check is left")
    until(lambda: pilot.log().count("check ") == 2, "the next check runs")
    assert pilot.terminate() == 128 + 15
    for started in re.findall(r"check (\d+)", pilot.log()):
        assert not group_members(int(started))


def test_orphans_are_reaped_and_no_exit_status_is_lost(fly):
    reap(fly, children=100, seconds=1)


@pytest.mark.scale
def test_thousand_orphans_a_second_are_reaped_for_ten_seconds(fly):
    reap(fly, children=1000, seconds=10)


# In Perl, whose forks are cheap enough for a thousand double forks a second on two cores.
FORKER = """
use POSIX (); use Time::HiRes qw(time sleep);
my ($children, $seconds) = @ARGV;
for (1 .. $seconds) {
    my $end = time + 1;
    for (1 .. $children) {
        my $middle = fork;
        POSIX::_exit(fork ? 0 : 5) unless $middle;
        waitpid $middle, 0;
    }
    my $left = $end - time;
    sleep $left if $left > 0;
}
$| = 1;
print "forked all\\n";
sleep 60;
"""


def reap(fly: Any, children: int, seconds: int) -> None:
    record = "checks"
    health = ["sh", "-c", f"echo x >> {record}; sleep 0.02 & exec sleep 0.05"]
    app = {"name": "app", "port": 1, "interfaces": "lo", "poll": 1, "ttl": 5, "health": health}
    failing = {**app, "name": "failing", "health": ["sh", "-c", "exit 9"]}
    pilot = fly(
        config(services=[app, failing]),
        *("perl", "-e", FORKER, str(children), str(seconds)),
        pid_namespace=True,
    )
    pilot.until_logged("forked all", seconds=60 + 10 * seconds)
    until(lambda: zombies(pilot.pid) == 0, "no zombie is left")
    # Every failure of the one was seen as what it is, none of the other was made up.
    statuses = set(re.findall(r"exit status \d+ name=\w+|no child", pilot.log()))
    assert statuses <= {"exit status 9 name=failing"}
    assert pilot.terminate() == 128 + 15


def test_coprocesses_and_tasks(fly):
    coprocess = {"name": "side", "command": ["sh", "-c", "echo ran; exit 1"], "restarts": 2}
    task = {"name": "tick", "command": "echo tock", "frequency": "100ms"}
    lasting = {"name": "lasting", "command": ["sh", "-c", "echo lasting $$; exec sleep 65.5"]}
    pilot = fly(config(coprocesses=[coprocess, lasting], tasks=[task]), "sleep", "60")
    until(lambda: pilot.log().count("ran\n") == 3, "it ran once and was restarted twice")
    until(lambda: pilot.log().count("tock\n") > 2, "the task ran every 100 ms")
    first = int(re.search(r"lasting (\d+)", pilot.log()).group(1))
    pilot.reload()
    until(lambda: pilot.log().count("lasting ") == 2, "a reload starts them anew")
    until(lambda: pilot.log().count("ran\n") == 6, "with fresh counters")
    assert not running(first)
    assert pilot.terminate() == 128 + 15
    for pid in re.findall(r"lasting (\d+)", pilot.log()):
        until(lambda pid=pid: not running(int(pid)), "no coprocess outlives the pilot")


def test_the_metrics_page(fly):
    import httpx

    (port,) = free_ports(1)
    sensors = [
        {"name": "queue", "help": "Jobs.", "type": "gauge", "poll": 1, "check": "echo 42.5"},
        {"name": "bad", "help": "Bad.", "type": "counter", "poll": 1, "check": "echo -1"},
    ]
    pilot = fly(config(telemetry={"port": port, "interfaces": "lo", "sensors": sensors}))
    url = f"http://127.0.0.1:{port}/metrics"

    def page() -> str:
        try:
            return httpx.get(url).text
        except httpx.ConnectError:
            return ""

    until(lambda: "queue 42.5" in page(), "the sensor's value is shown")
    assert "process_resident_memory_bytes" in page()
    pilot.until_logged("bad: a counter can't go down, got -1")
    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 404
    (moved,) = free_ports(1)
    pilot.reload(config(telemetry={"port": moved, "interfaces": "lo"}))
    url = f"http://127.0.0.1:{moved}/metrics"
    until(lambda: 'containerpilot_reloads_total{result="done"} 1' in page(), "it has moved")
    assert "\nqueue" not in page()


def running(pid: int) -> bool:
    found = process(pid)
    return found is not None and not found.has_ended


def processes() -> list[tuple[int, str, int, int]]:
    """(pid, state, parent, group) of all."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.append((int(stat.parent.name), fields[0], int(fields[1]), int(fields[2])))
    return found


def group_members(group: int) -> list[int]:
    return [pid for pid, state, _, its in processes() if its == group and state != "Z"]


def zombies(parent: int) -> int:
    return sum(state == "Z" and its == parent for _, state, its, _ in processes())


def test_the_start_waits_for_nobody(fly):
    """A name server or an agent that is away must not hold up the application."""
    settings = {"consul": "consul.invalid:8500", "services": []}
    started = time.monotonic()
    pilot = fly(settings, "true")
    assert pilot.wait() == 0
    # Far above what it takes, far below any resolver's patience.
    assert time.monotonic() - started < 20
