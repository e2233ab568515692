"""From one machine to several: `vr up`, then `vr hosts add`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from support.fleet import CONTROLLER, Fleet, fleet_of
from support.load import Load
from support.repositories import GitRepository
from support.stack import Stack, running_stack
from support.swarm_machine import ALIVE, APP
from support.waiting import until

SWARM = "shop-far-web"
# The network has no way to an index: the app needs nothing.
START = "exec env VERSION=$(cat version) python3 app.py"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with fleet_of(1) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def far(fleet: Fleet) -> Iterator[Stack]:
    """A stack in the fleet's network that other hosts can reach."""
    with (
        fleet.controller(),
        running_stack(VR_HOSTS_ADDRESS=CONTROLLER, VR_BIND="0.0.0.0") as stack,
    ):
        yield stack


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    found = GitRepository(tmp_path_factory.mktemp("repository") / "shop")
    for version in ("v1", "v2"):
        files = {
            "app.py": APP,
            "version": version,
            "Procfile": f"web: {START}\n",
            "uptests/web/01_alive": ALIVE,
        }
        found.commit(files, tag=version)
    return found


def test_a_swarm_moves_to_another_machine_without_a_lost_request(
    far: Stack, fleet: Fleet, repository: GitRepository
) -> None:
    far.vr("apps", "add", "shop", repository.url, "--stack", "debian12")
    far.vr(
        *("swarms", "add", "shop", "web", "--config-name", "far", "--tag", "v1"),
        *("--size", "2", "--squad", "local", "--pool", "shop"),
    )
    far.vr("swarm", SWARM, "v1")
    key = far.vr("hosts", "key").stdout.strip()
    fleet.run("h1", ["sh", "-c", f"echo '{key}' >>/root/.ssh/authorized_keys"])
    added = far.vr("hosts", "add", "h1", "--squad", "local", "--address", fleet.address("h1"))
    assert "h1 is ready" in added.stderr
    with Load(far.http_port, "shop.localhost", 100) as load:
        far.vr("swarm", SWARM, "v2")
    assert load.failures == []
    assert set(load.versions) == {"v1", "v2"}
    hosts = sorted(one["host"] for one in far.json("procs") if one["app_name"] == "shop")
    assert hosts == ["127.0.0.1", "h1"], "the new procs are spread over both hosts"
    assert "serving" in far.vr("logs", SWARM).stdout


def test_a_host_is_drained_without_a_lost_request_and_gets_procs_again_once_undrained(
    far: Stack,
) -> None:
    def hosts_of_procs() -> list[str]:
        return sorted(one["host"] for one in far.json("procs") if one["app_name"] == "shop")

    with Load(far.http_port, "shop.localhost", 200) as load:
        far.vr("hosts", "drain", "h1")
        until(lambda: hosts_of_procs() == ["127.0.0.1"] * 2, "its procs move", seconds=120)
        until(lambda: far.json("dispatches", SWARM)[0]["status"] == "succeeded", "it is done")
    assert load.failures == []
    assert far.json("dispatches", SWARM)[0]["note"].startswith("Drained: h1.")
    assert "DRAINING" in far.vr("hosts").stdout
    far.vr("hosts", "undrain", "h1")
    with Load(far.http_port, "shop.localhost", 200) as load:
        far.vr("swarm", SWARM, "v1")
        far.vr("swarm", SWARM, "v2")
    assert load.failures == []
    assert hosts_of_procs() == ["127.0.0.1", "h1"]


def test_procs_of_a_lost_host_are_placed_on_another_and_none_is_left_when_it_is_back(
    far: Stack, fleet: Fleet
) -> None:
    def hosts_of_procs() -> list[str]:
        return sorted(one["host"] for one in far.json("procs") if one["app_name"] == "shop")

    def told(title: str) -> bool:
        return title in far.vr("events").stdout

    far.vr("squads", "change", "local", "--rescue-after", "30")
    fleet.cut("h1")
    try:
        until(lambda: told("h1 is silent"), "it is told", seconds=60)
        until(lambda: told("the pool shop was put right"), "its nodes leave", seconds=60)
        until(lambda: hosts_of_procs().count("127.0.0.1") == 2, "another has it", seconds=120)
        until(lambda: far.json("dispatches", SWARM)[0]["status"] == "succeeded", "it is routed")
        assert "Silent: h1." in far.json("dispatches", SWARM)[0]["note"]
        with Load(far.http_port, "shop.localhost", 100) as load:
            until(lambda: load.versions["v2"] > 100, "it serves")
        assert load.failures == []
    finally:
        fleet.mend("h1")
    until(lambda: told("h1 is back"), "its return is told", seconds=60)
    until(lambda: hosts_of_procs() == ["127.0.0.1", "h1"], "one is retired", seconds=120)
    until(lambda: far.json("dispatches", SWARM)[0]["status"] == "succeeded", "it is routed")
    with Load(far.http_port, "shop.localhost", 100) as load:
        until(lambda: load.versions["v2"] > 100, "both serve")
    assert load.failures == []


def test_a_host_may_do_no_more_in_redis_than_tell_of_its_procs(far: Stack, fleet: Fleet) -> None:
    url = fleet.run("h1", ["cat", "/opt/velociraptor/etc/redis-url"]).stdout.strip()
    connection = redis.Redis.from_url(url)
    assert connection.ping()
    for forbidden in (
        lambda: connection.lpush("celery", "x"),
        lambda: connection.keys("*"),
        lambda: connection.get("celery"),
        lambda: connection.publish("events", "x"),
    ):
        with pytest.raises(redis.exceptions.NoPermissionError):
            forbidden()
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(CONTROLLER, 6379).ping()
