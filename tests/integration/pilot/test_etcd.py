"""Registration with a real etcd: the same promises for both of its APIs."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from support.etcd_server import EtcdServer
from support.pilot_process import HOST
from support.ports import free_ports
from support.waiting import until

pytestmark = pytest.mark.parametrize("api", [2, 3])


def config(server: EtcdServer, api: int, *services: dict[str, Any], **fields: Any) -> Any:
    etcd = {"endpoints": [server.url], "api": f"v{api}"}
    return {"etcd": etcd, "services": list(services), **fields}


def service(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "port": 8000, "interfaces": "lo", "poll": 1, "ttl": 3, **fields}


def test_a_service_lives_from_its_first_heartbeat_to_sigterm(etcd, fly, api):
    name = f"life{api}"
    pilot = fly(config(etcd, api, service(name, tags=["blue"])), "sleep", "60")
    (found,) = until(lambda: etcd.services(api, name), "the service is there")
    assert found == {
        "id": f"{name}-{HOST}",
        "name": name,
        "address": "127.0.0.1",
        "port": 8000,
        "tags": ["blue"],
    }
    assert pilot.terminate() == 143
    assert etcd.services(api, name) == []


def test_without_heartbeats_a_service_expires(etcd, fly, api):
    name = f"lost{api}"
    pilot = fly(config(etcd, api, service(name, ttl=2)), "sleep", "4")
    until(lambda: etcd.services(api, name), "the service is there")
    pilot.process.kill()
    until(lambda: not etcd.services(api, name), "it has expired")


def test_a_server_that_was_away_and_lost_everything_hears_again(tmp_path, fly, api):
    server = EtcdServer(tmp_path / "etcd")
    (closed,) = free_ports(1)
    try:
        server.start()
        settings = config(server, api, service("again"))
        # The first one can't be reached, so the second is asked.
        settings["etcd"]["endpoints"] = [f"http://127.0.0.1:{closed}", server.url]
        fly(settings, "sleep", "60")
        until(lambda: server.services(api, "again"), "the service is there")
        server.delete_all(api)
        until(lambda: server.services(api, "again"), "it was registered again")
        server.stop(forget=True)
        server.start()
        until(lambda: server.services(api, "again"), "it was registered with the new server")
    finally:
        server.stop()


def test_on_change_follows_another_pilot_through_reload_and_maintenance(etcd, fly, api, tmp_path):
    record = tmp_path / "changes"
    name = f"db{api}"
    backend = {"name": name, "poll": 1, "tag": "blue"}
    backend["onChange"] = ["sh", "-c", f"echo x >> {record}"]
    fly(config(etcd, api, backends=[backend]), "sleep", "60")
    pilot = fly(config(etcd, api, service(name, tags=["blue"])), "sleep", "60")

    def changes() -> int:
        return record.read_text().count("x") if record.exists() else 0

    until(lambda: changes() == 1, "the service was noticed")
    pilot.reload(config(etcd, api, service(name, tags=["blue"], port=8001)))
    until(lambda: changes() == 2, "its new port was noticed")
    pilot.signal(signal.SIGUSR1)
    until(lambda: changes() == 3, "its maintenance was noticed")
