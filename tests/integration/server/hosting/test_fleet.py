"""From bare machines to a swarm over several hosts, with all the real parts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from support.fleet import Fleet, fleet_of
from support.fleet_server import FleetServer, fleet_server
from support.load import Load
from support.waiting import until

SWARM = "shop-prod-web"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with fleet_of(3) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def server(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetServer]:
    with fleet_server(fleet, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def prepared(server: FleetServer, fleet: Fleet) -> FleetServer:
    """All hosts let the server's key in, and are prepared."""
    key = server.vr("hosts", "key").stdout
    for name in fleet.names:
        fleet.run(name, ["sh", "-c", f"echo '{key.strip()}' >>/root/.ssh/authorized_keys"])
        server.vr("hosts", "add", name, "--squad", "web", "--address", fleet.address(name))
    return server


def test_a_bare_machine_becomes_a_host_step_by_step(prepared: FleetServer, fleet: Fleet) -> None:
    again = prepared.vr("hosts", "add", "h1", "--squad", "web")
    assert "its SSH host key must be SHA256:" in again.stderr
    assert "Supervisor runs, with all procs" in again.stderr
    assert "h1 is ready" in again.stderr
    listed = {str(one["name"]): one for one in prepared.objects("hosts")}
    for name in fleet.names:
        assert listed[name]["active"]
        assert listed[name]["release"]


def procs(server: FleetServer) -> list[str]:
    found = json.loads(server.vr("procs", "--json").stdout)
    return [f"{one['host']} {one['name']}" for one in found if one["app_name"] == "shop"]


def test_a_swarm_spreads_over_hosts_and_changes_without_a_lost_request(
    prepared: FleetServer, fleet: Fleet
) -> None:
    prepared.vr(
        *("swarms", "add", "shop", "web", "--tag", "v1", "--config-name", "prod"),
        *("--squad", "web", "--size", "3", "--pool", "shop", "--balancer", "nginx"),
        *("--settle-seconds", "2"),
    )
    prepared.vr("swarm", SWARM, "v1")
    assert sorted(one.split()[0] for one in procs(prepared)) == ["h1", "h2", "h3"]
    with Load(prepared.http_port, "shop.localhost", 100) as load:
        prepared.vr("swarm", SWARM, "v2")
    assert load.failures == []
    assert set(load.versions) == {"v1", "v2"}
    until(lambda: len(procs(prepared)) == 3, "the old procs are gone")


def test_a_version_that_fails_its_uptests_leaves_the_old_one(prepared: FleetServer) -> None:
    before = procs(prepared)
    failed = prepared.vr("swarm", SWARM, "v3", check=False)
    assert failed.returncode == 1
    assert "checkout is broken" in failed.stdout + failed.stderr
    until(lambda: procs(prepared) == before, "the new procs are gone")


def test_a_host_is_checked_and_kept_while_it_has_procs(prepared: FleetServer) -> None:
    checked = prepared.vr("hosts", "check", "h2")
    assert "trying a container" in checked.stderr
    kept = prepared.vr("hosts", "remove", "h2", "--yes", check=False)
    assert kept.returncode == 1
    assert "used by the procs shop-v2" in kept.stderr


def test_another_host_key_is_not_trusted_until_it_is_said_to_be_right(
    prepared: FleetServer, fleet: Fleet
) -> None:
    prepared.python(
        "import django; django.setup()\n"
        "from vr.server.models import Host\n"
        f"Host.objects.filter(name='h3').update(host_key={fleet.host_key('h1')!r})"
    )
    refused = prepared.vr("hosts", "check", "h3", check=False)
    assert refused.returncode == 1
    assert "another SSH host key than the pinned one" in refused.stderr
    pinned = prepared.vr("hosts", "add", "h3", "--new-key")
    assert "pinned its SSH host key" in pinned.stderr


def test_a_host_without_procs_is_left_as_it_was(prepared: FleetServer, fleet: Fleet) -> None:
    prepared.vr("scale", SWARM, "0")
    # What was left on a host that could not be reached then goes once it is heard.
    until(lambda: not procs(prepared), "all procs are gone", seconds=90)
    prepared.vr("hosts", "remove", "h3", "--yes")
    assert "h3" not in [one["name"] for one in prepared.objects("hosts")]
    assert fleet.run("h3", ["ls", "-A", "/opt/velociraptor"]).stdout == ""
    running = fleet.run("h3", ["ps", "-eo", "args"]).stdout
    assert "supervisord" not in running
