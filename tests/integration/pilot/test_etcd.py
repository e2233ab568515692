"""Registration with a real etcd: the same promises for both of its APIs, kept side by side."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from support.etcd_server import EtcdServer
from support.pilot_process import HOST
from support.ports import free_ports
from support.waiting import until

APIS = (2, 3)


def config(server: EtcdServer, api: int, *services: dict[str, Any], **fields: Any) -> Any:
    etcd = {"endpoints": [server.url], "api": f"v{api}"}
    return {"etcd": etcd, "services": list(services), **fields}


def service(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "port": 8000, "interfaces": "lo", "poll": 1, "ttl": 3, **fields}


def test_a_service_lives_from_its_first_heartbeat_to_sigterm(etcd, fly):
    pilots = {
        api: fly(config(etcd, api, service(f"life{api}", tags=["blue"])), "sleep", "60")
        for api in APIS
    }
    for api, pilot in pilots.items():
        found = until(lambda api=api: etcd.services(api, f"life{api}"), f"v{api}: it is there")
        assert found == [
            {
                "id": f"life{api}-{HOST}",
                "name": f"life{api}",
                "address": "127.0.0.1",
                "port": 8000,
                "tags": ["blue"],
            }
        ]
        assert pilot.terminate() == 143
        assert etcd.services(api, f"life{api}") == []


def test_without_heartbeats_a_service_expires(etcd, fly):
    pilots = [fly(config(etcd, api, service(f"lost{api}", ttl=2)), "sleep", "4") for api in APIS]
    for api in APIS:
        until(lambda api=api: etcd.services(api, f"lost{api}"), f"v{api}: it is there")
    for pilot in pilots:
        pilot.process.kill()
    for api in APIS:
        until(lambda api=api: not etcd.services(api, f"lost{api}"), f"v{api}: it has expired")


def test_a_server_that_was_away_and_lost_everything_hears_again(tmp_path, fly):
    server = EtcdServer(tmp_path / "etcd")
    (closed,) = free_ports(1)

    def all_there() -> bool:
        return all(server.services(api, "again") for api in APIS)

    try:
        server.start()
        for api in APIS:
            settings = config(server, api, service("again"))
            # The first one can't be reached, so the second is asked.
            settings["etcd"]["endpoints"] = [f"http://127.0.0.1:{closed}", server.url]
            fly(settings, "sleep", "60")
        until(all_there, "both are registered")
        for api in APIS:
            server.delete_all(api)
        until(all_there, "both were registered again")
        server.stop(forget=True)
        server.start()
        until(all_there, "both were registered with the new server")
    finally:
        server.stop()


def test_on_change_follows_another_pilot_through_reload_and_maintenance(etcd, fly, tmp_path):
    records = {api: tmp_path / f"changes{api}" for api in APIS}
    pilots = {}
    for api, record in records.items():
        backend = {"name": f"db{api}", "poll": 1, "tag": "blue"}
        backend["onChange"] = ["sh", "-c", f"echo x >> {record}"]
        fly(config(etcd, api, backends=[backend]), "sleep", "60")
        blue = service(f"db{api}", tags=["blue"])
        pilots[api] = fly(config(etcd, api, blue), "sleep", "60")

    def all_changed(times: int) -> bool:
        return all(changes(record) == times for record in records.values())

    until(lambda: all_changed(1), "the services were noticed")
    for api, pilot in pilots.items():
        pilot.reload(config(etcd, api, service(f"db{api}", tags=["blue"], port=8001)))
    until(lambda: all_changed(2), "their new ports were noticed")
    for pilot in pilots.values():
        pilot.signal(signal.SIGUSR1)
    until(lambda: all_changed(3), "their maintenance was noticed")


def changes(record: Path) -> int:
    return record.read_text().count("x") if record.exists() else 0
