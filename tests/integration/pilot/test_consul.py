"""Registration with a real Consul, from the first heartbeat to the last deregistration."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.consul_agent import ConsulAgent
from support.pilot_process import HOST
from support.ports import free_ports
from support.waiting import until


def service(name: str, **fields: Any) -> dict[str, Any]:
    """A service on the loopback address, checked every second."""
    return {"name": name, "port": 8000, "interfaces": "lo", "poll": 1, "ttl": 5, **fields}


def config(agent: ConsulAgent, *services: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"consul": agent.address, "services": list(services), **fields}


def passing(agent: ConsulAgent, name: str) -> bool:
    return agent.status(f"{name}-{HOST}") == "passing"


def test_a_service_is_critical_until_its_health_check_passes(consul, fly, tmp_path):
    healthy = tmp_path / "healthy"
    app = service("first", port=8123, tags=["blue", "v2"], health=f"test -e {healthy}")
    fly(config(consul, app), "sleep", "60")

    until(lambda: consul.service(f"first-{HOST}"), "the service is registered")
    assert consul.status(f"first-{HOST}") == "critical"

    healthy.touch()
    until(lambda: passing(consul, "first"), "the service is passing")
    found = consul.service(f"first-{HOST}")
    assert (found["Address"], found["Port"], found["Tags"]) == ("127.0.0.1", 8123, ["blue", "v2"])
    check = consul.get("/v1/agent/checks")[f"first-{HOST}"]
    assert check["Notes"] == "TTL for first set by containerpilot"


def test_sigterm_takes_the_service_out_before_the_application_hears_of_it(consul, fly):
    look = (
        "import http.client, signal, sys, time\n"
        f"def ask(*_):\n    c = http.client.HTTPConnection('{consul.address}')\n"
        "    c.request('GET', '/v1/agent/services')\n"
        f"    sys.exit(3 if 'second-{HOST}' in c.getresponse().read().decode() else 4)\n"
        "signal.signal(signal.SIGTERM, ask)\nprint('app is up', flush=True)\ntime.sleep(60)\n"
    )
    pilot = fly(config(consul, service("second")), "python3", "-c", look)
    until(lambda: passing(consul, "second"), "the service is passing")
    pilot.until_logged("app is up")
    assert pilot.terminate() == 4
    assert "Deregistering service: second" in pilot.log()


def test_an_application_that_ends_by_itself_is_deregistered_before_poststop(consul, fly):
    ask = f"curl -s http://{consul.address}/v1/agent/services"
    settings = config(consul, service("third"), postStop=["sh", "-c", f"{ask} | grep -c third-"])
    pilot = fly(settings, "sh", "-c", f"until {ask} | grep -q third-; do sleep 0.1; done; exit 9")
    # grep finds nothing, which is its exit status 1, and postStop's wins over the application's.
    assert pilot.wait() == 1
    assert "postStop failed: exit status 1" in pilot.log()


def test_after_kill_9_of_the_pilot_the_ttl_expires(consul, fly):
    pilot = fly(config(consul, service("lost", ttl=2)), "sleep", "5")
    until(lambda: passing(consul, "lost"), "the service is passing")
    pilot.process.kill()
    until(lambda: consul.status(f"lost-{HOST}") == "critical", "the TTL has expired")


def test_what_a_dead_container_left_under_the_same_id_is_replaced_at_the_start(consul, fly):
    stale = {"ID": f"stale-{HOST}", "Name": "stale", "Port": 1, "Address": "10.9.9.9"}
    check = {"CheckID": f"stale-{HOST}", "TTL": "600s", "Status": "passing"}
    consul.put("/v1/agent/service/register", {**stale, "Check": check})
    fly(config(consul, service("stale", poll=60, ttl=90)), "sleep", "60")
    until(lambda: consul.service(f"stale-{HOST}")["Port"] == 8000, "the record is replaced")
    assert consul.status(f"stale-{HOST}") == "critical"


def test_maintenance_takes_services_out_and_lets_them_back_in(consul, fly):
    slow = service("upkeep", health="sleep 0.4")
    pilot = fly(config(consul, slow), "sleep", "60")
    until(lambda: passing(consul, "upkeep"), "the service is passing")
    pilot.signal(signal.SIGUSR1)
    until(lambda: consul.service(f"upkeep-{HOST}") is None, "the service is out")
    pilot.until_logged("Marking for maintenance: upkeep")
    pilot.reload()
    pilot.signal(signal.SIGUSR1)
    until(lambda: passing(consul, "upkeep"), "the service is back")


def test_a_reload_keeps_unchanged_services_in_and_replaces_changed_ones(consul, fly):
    pilot = fly(config(consul, service("same"), service("moved"), service("gone")), "sleep", "60")
    for name in ("same", "moved", "gone"):
        until(lambda name=name: passing(consul, name), f"{name} is passing")
    pilot.reload(config(consul, service("same"), service("moved", port=8001), service("new")))
    seen = set()

    def done() -> bool:
        seen.add(consul.status(f"same-{HOST}"))
        moved = consul.service(f"moved-{HOST}") or {}
        return (
            consul.service(f"gone-{HOST}") is None
            and moved.get("Port") == 8001
            and passing(consul, "moved")
            and passing(consul, "new")
        )

    until(done, "the new configuration is registered")
    assert seen == {"passing"}


def test_a_bad_reload_says_why_and_changes_nothing(consul, fly):
    pilot = fly(config(consul, service("steady")), "sleep", "60")
    until(lambda: passing(consul, "steady"), "the service is passing")
    pilot.reload(config(consul, service("steady", poll=0, port="x")))
    pilot.until_logged("Could not reload config: 2 problems")
    assert "services[0].poll: `poll` must be > 0 in service steady" in pilot.log()
    pilot.reload("{")
    pilot.until_logged("Parse error at line:col [1:2]")
    assert passing(consul, "steady")
    assert pilot.terminate() == 143


def test_on_change_runs_for_every_change_of_the_tagged_instances(consul, fly, tmp_path):
    record = tmp_path / "changes"
    backend = {"name": "db", "tag": "main", "poll": 1}
    backend["onChange"] = ["sh", "-c", f"echo x >> {record}"]
    fly({"consul": consul.address, "backends": [backend]}, "sleep", "60")

    def changes() -> int:
        return record.read_text().count("x") if record.exists() else 0

    def register(id: str, tag: str) -> None:
        consul.put("/v1/agent/service/register", {"ID": id, "Name": "db", "Tags": [tag], "Port": 5})

    register("db-other", "spare")
    register("db-1", "main")
    until(lambda: changes() == 1, "the first instance was noticed")
    register("db-2", "main")
    until(lambda: changes() == 2, "the second instance was noticed")
    consul.put("/v1/agent/service/deregister/db-1")
    until(lambda: changes() == 3, "the lost instance was noticed")


def test_a_failed_on_change_is_tried_again_within_bounds(consul, fly, tmp_path):
    record = tmp_path / "tries"
    backend = {"name": "broken", "poll": 1, "onChange": ["sh", "-c", f"echo x >> {record}; exit 4"]}
    pilot = fly({"consul": consul.address, "backends": [backend]}, "sleep", "60")
    body = {"ID": "broken-1", "Name": "broken", "Port": 1}
    consul.put("/v1/agent/service/register", body)
    until(lambda: record.exists() and record.read_text().count("x") == 3, "three tries were made")
    assert "exit status 4 name=broken process=onChange" in pilot.log()


def test_an_agent_that_lost_its_data_hears_of_the_service_again(own_consul, fly):
    pilot = fly(config(own_consul, service("again")), "sleep", "60")
    until(lambda: passing(own_consul, "again"), "the service is passing")
    own_consul.stop()
    pilot.until_logged("connection refused")
    own_consul.start()
    until(lambda: passing(own_consul, "again"), "the service is passing again")
    # And once more with the connection in good order.
    own_consul.put(f"/v1/agent/service/deregister/again-{HOST}")
    until(lambda: passing(own_consul, "again"), "the service was registered again")
    pilot.until_logged("Service not registered, registering...")


def test_a_hanging_agent_delays_stopping_by_seconds_only(own_consul, fly):
    pilot = fly(config(own_consul, service("stuck")), "sleep", "60")
    until(lambda: passing(own_consul, "stuck"), "the service is passing")
    own_consul.pause(signal.SIGSTOP)
    try:
        pilot.signal(signal.SIGTERM)
        assert pilot.wait(10) == 143
    finally:
        own_consul.pause(signal.SIGCONT)


def test_the_token_is_sent_and_never_shown(tmp_path, fly):
    settings = {
        "acl": {"enabled": True, "default_policy": "deny", "tokens": {"master": "s3cret-t"}}
    }
    agent = ConsulAgent(tmp_path / "acl", settings)
    agent.token = "s3cret-t"
    try:
        agent.start()
        fields = {"logging": {"level": "DEBUG"}}
        refused = fly(config(agent, service("locked"), **fields), "sleep", "60")
        refused.until_logged("Unexpected response code: 403")
        refused.terminate()
        environ = {"CONSUL_HTTP_TOKEN": "s3cret-t"}
        pilot = fly(config(agent, service("locked"), **fields), "sleep", "60", environ=environ)
        until(lambda: passing(agent, "locked"), "the service is passing")
        in_file = {"address": agent.address, "token": "s3cret-t"}
        pilot.reload({"consul": in_file, "services": [service("locked")], **fields})
        pilot.until_logged('"token": "***"')
        assert pilot.terminate() == 143
        assert "s3cret-t" not in pilot.log()
    finally:
        agent.stop()


@pytest.fixture
def tls_agent(tmp_path: Path):
    import subprocess

    folder = tmp_path / "tls"
    folder.mkdir()
    for argv in (["ca", "create"], ["cert", "create", "-server", "-additional-dnsname=localhost"]):
        subprocess.run(["consul", "tls", *argv], cwd=folder, check=True, capture_output=True)
    (https,) = free_ports(1)
    agent = ConsulAgent(
        folder,
        {
            "ports": {"https": https},
            "ca_file": "consul-agent-ca.pem",
            "cert_file": "dc1-server-consul-0.pem",
            "key_file": "dc1-server-consul-0-key.pem",
        },
    )
    try:
        agent.start()
        yield agent, https, folder / "consul-agent-ca.pem"
    finally:
        agent.stop()


def test_tls_is_verified(tls_agent, fly):
    agent, https, authority = tls_agent
    settings = {"consul": f"https://localhost:{https}", "services": [service("sealed")]}
    fly(settings, "sleep", "60", environ={"CONSUL_CACERT": str(authority)})
    until(lambda: passing(agent, "sealed"), "the service is passing")
    stranger = fly(settings, "sleep", "60")
    stranger.until_logged("certificate verify failed")


def test_many_pilots_share_an_agent(consul, fly):
    """Ten here; fifty as `scale`."""
    share(consul, fly, 10)


@pytest.mark.scale
def test_fifty_pilots_share_an_agent(consul, fly):
    share(consul, fly, 50)


def share(agent: ConsulAgent, fly: Any, count: int) -> None:
    names = [f"crowd{number}" for number in range(count)]
    pilots = [fly(config(agent, service(name, ttl=15)), "sleep", "300") for name in names]

    def ready() -> bool:
        checks = agent.get("/v1/agent/checks")
        return all(checks.get(f"{name}-{HOST}", {}).get("Status") == "passing" for name in names)

    until(ready, "all are passing", seconds=60)
    for pilot in pilots:
        pilot.signal(signal.SIGTERM)
    assert {pilot.wait() for pilot in pilots} == {143}
    left = httpx.get(f"http://{agent.address}/v1/agent/services").json()
    assert not [id for id in left if id.startswith("crowd")]
