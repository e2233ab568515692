"""A large fleet on paper: hosts, swarms and procs in database and Redis as real ones leave them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import redis

from support.web_server import WebServer
from vr.events.procs import ProcBoard

FIRST_PORT = 5000

_FILL = """
from django.contrib.auth.models import User
from django.utils import timezone
User.objects.create_superuser("admin", password="secret")
now = timezone.now()
squads = Squad.objects.bulk_create(Squad(name=f"squad{{n}}") for n in range({squads}))
hosts = Host.objects.bulk_create(
    Host(name=f"host{{n:05}}", squad=squads[n % len(squads)]) for n in range({hosts})
)
apps = App.objects.bulk_create(
    App(name=f"app{{n}}", repo_url=f"https://git.example/app{{n}}") for n in range({apps})
)
builds = Build.objects.bulk_create(
    Build(app=app, tag="v1", status="success", file="f", hash="0" * 32) for app in apps
)
swarms = Swarm.objects.bulk_create(
    Swarm(
        app=apps[n % len(apps)], tag="v1", proc_name="web", config_name=f"prod{{n // len(apps)}}",
        squad=squads[n % len(squads)], size={per_swarm}, pool=f"pool{{n}}", balancer="default",
        config_yaml="database: main\\nworkers: 4\\n", env_yaml="A: '1'\\n",
    )
    for n in range({swarms})
)
releases = Release.objects.bulk_create(
    Release(build=builds[n % len(apps)], hash=f"{{n:08x}}", config_yaml=swarm.config_yaml)
    for n, swarm in enumerate(swarms)
)
for swarm, release in zip(swarms, releases):
    swarm.release = release
Swarm.objects.bulk_update(swarms, ["release"])
Dispatch.objects.bulk_create(
    Dispatch(swarm=swarm, tag="v1", size=swarm.size, release=release, status="succeeded", ended=now)
    for swarm, release in zip(swarms, releases)
    for _ in range(3)
)
leases, taken = [], dict()
for n, swarm in enumerate(swarms):
    own = hosts[n % len(squads) :: len(squads)]
    for k in range({per_swarm}):
        host = own[(n // len(squads) + k) % len(own)]
        port = taken[host.name] = taken.get(host.name, {first_port} - 1) + 1
        proc = f"{{swarm.app.name}}-v1-{{swarm.config_name}}-{{n:08x}}-web-{{port}}"
        leases.append(PortLease(host=host, port=port, swarm=swarm, proc=proc))
        print(host.name, proc)
PortLease.objects.bulk_create(leases, batch_size=1000)
Event.objects.bulk_create(
    Event(title=f"app{{n % {apps}}}: swarmed", message="2 procs run", tags=["swarm", "success"])
    for n in range(500)
)
"""


def fill(
    server: WebServer, redis_url: str, *, hosts: int, swarms: int, per_swarm: int, silent: int = 0
) -> Mapping[str, list[str]]:
    """Write `swarms` swarms of `per_swarm` procs over `hosts` hosts; host → names of its procs.

    All hosts have spoken just now, but for the first `silent` ones, which did an hour ago. There
    is a user admin, with the password secret.
    """
    printed = server.python(
        _FILL.format(
            squads=max(1, min(20, hosts // 2)),
            hosts=hosts,
            apps=max(1, swarms // 5),
            swarms=swarms,
            per_swarm=per_swarm,
            first_port=FIRST_PORT,
        )
    )
    procs: dict[str, list[str]] = {f"host{n:05}": [] for n in range(hosts)}
    for line in printed.splitlines():
        host, proc = line.split()
        procs[host].append(proc)
    push(redis_url, procs)
    connection = redis.Redis.from_url(redis_url)
    for host in list(procs)[:silent]:
        connection.hset("host_heartbeats", host, str(time.time() - 3600))
    return procs


def push(redis_url: str, procs: Mapping[str, Iterable[str]]) -> None:
    """What the publishers of the hosts write."""
    board = ProcBoard(redis.Redis.from_url(redis_url))
    for host, names in procs.items():
        board.replace(host, list(infos(names)))


def infos(names: Iterable[str], statename: str = "RUNNING") -> Iterator[dict[str, Any]]:
    """Supervisor's structs of procs."""
    now = int(time.time())
    for name in names:
        log = f"/var/log/supervisor/{name}.log"
        yield {
            "name": name,
            "group": name,
            "start": now - 86_400,
            "stop": 0,
            "now": now,
            "state": 20 if statename == "RUNNING" else 200,
            "statename": statename,
            "spawnerr": "",
            "exitstatus": 0,
            "logfile": log,
            "stdout_logfile": log,
            "stderr_logfile": "",
            "pid": 4242,
            "description": "pid 4242, uptime 1 day, 0:00:00",
        }
