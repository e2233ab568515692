"""Long trouble, each with a short version in the normal run."""

from __future__ import annotations

import random
import signal
import time

import pytest

from support.pilot_process import HOST
from support.waiting import until


def settings(agent, name, port=8000):
    service = {"name": name, "port": port, "interfaces": "lo", "poll": 1, "ttl": 5}
    return {"consul": agent.address, "services": [{**service, "health": "sleep 0.05"}]}


def test_signals_in_a_storm_leave_a_consistent_registration(consul, fly):
    storm(consul, fly, "gale", 60)


@pytest.mark.chaos
def test_five_hundred_signals_leave_a_consistent_registration(consul, fly):
    storm(consul, fly, "storm", 500)


def storm(agent, fly, name, count):
    """Reloads with changing ports, maintenance on and off, at random moments."""
    pilot = fly(settings(agent, name), "sleep", "600")
    until(lambda: agent.status(f"{name}-{HOST}") == "passing", "the service is passing")
    dice = random.Random(count)
    for number in range(count):
        port = 8000 + number % 7
        pilot.configure(settings(agent, name, port))
        pilot.signal(dice.choice([signal.SIGHUP, signal.SIGHUP, signal.SIGUSR1, signal.SIGWINCH]))
        time.sleep(dice.uniform(0, 0.03))
    # Which of them were merged by the kernel is unknown: the maintenance is asked of the log.
    pilot.reload(settings(agent, name, 9000))
    id = f"{name}-{HOST}"

    def registered():
        return (agent.service(id) or {}).get("Port") == 9000 and agent.status(id) == "passing"

    deadline = time.monotonic() + 5
    while not registered() and time.monotonic() < deadline:
        time.sleep(0.05)
    if not registered():
        assert agent.service(id) is None, "in maintenance nothing may be registered"
        pilot.signal(signal.SIGUSR1)
    until(registered, "the last configuration is registered", seconds=30)
    assert pilot.terminate() == 143
    assert agent.service(id) is None
    assert "internal error" not in pilot.log()


@pytest.mark.chaos
def test_three_hundred_reloads_leave_no_connection_behind(consul, fly):
    """Upstream's own test: 0 to 30 ms apart, then healthy."""
    from pathlib import Path

    pilot = fly(settings(consul, "hups"), "sleep", "600")
    until(lambda: consul.service(f"hups-{HOST}"), "the service is registered")
    for _ in range(300):
        pilot.reload()
        time.sleep(random.uniform(0, 0.03))
    until(lambda: consul.status(f"hups-{HOST}") == "passing", "it is healthy", seconds=30)
    descriptors = list(Path(f"/proc/{pilot.pid}/fd").iterdir())
    assert len(descriptors) < 16
    assert pilot.terminate() == 143


@pytest.mark.chaos
def test_an_agent_that_is_away_for_a_minute(own_consul, fly):
    """The short version is in test_consul: an agent that lost its data."""
    agent = own_consul
    pilot = fly(settings(agent, "patient"), "sleep", "600")
    until(lambda: agent.status(f"patient-{HOST}") == "passing", "the service is passing")
    agent.stop()
    time.sleep(60)
    assert pilot.process.poll() is None
    agent.start()
    until(lambda: agent.status(f"patient-{HOST}") == "passing", "it is passing again", seconds=30)
    assert pilot.terminate() == 143


@pytest.mark.chaos
def test_a_flapping_check_never_shows_a_failing_service_as_healthy(consul, fly, tmp_path):
    """Passing at most for the TTL after the check began to fail, and again soon after it passes."""
    healthy = tmp_path / "healthy"
    healthy.touch()
    service = {"name": "flapping", "port": 1, "interfaces": "lo", "poll": 1, "ttl": 2}
    service["health"] = f"test -e {healthy}"
    fly({"consul": consul.address, "services": [service]}, "sleep", "600")
    id = f"flapping-{HOST}"
    for _ in range(5):
        until(lambda: consul.status(id) == "passing", "it is passing")
        healthy.unlink()
        until(lambda: consul.status(id) == "critical", "the TTL has expired")
        healthy.touch()
