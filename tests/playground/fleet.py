"""The parts of the fleet, one after the other, and what people are told of them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playground.relay import relay
from support.fleet import CONTROLLER, Fleet
from support.fleet_server import TOKEN, WEB_PORT, FleetServer, fleet_server
from support.postgres_server import postgres_server
from support.rabbitmq_server import tls_rabbitmq_server
from support.tls import certificate

_TAG = "vrplay"
_HOSTS = 4
_PASSWORD = "only-to-play-with"
PAGES_PORT, APPS_PORT = 8900, 8901
_SAID = f"""
Pages, as admin with the password {_PASSWORD}:  http://127.0.0.1:{PAGES_PORT}/
The shop, over its balancer:                    http://shop.localhost:{APPS_PORT}/

The command line, in this checkout:
    export VR_URL=http://127.0.0.1:{PAGES_PORT} VR_TOKEN={TOKEN} PATH=$PWD/.venv/bin:$PATH
    vr swarm shop-prod-web v2        # v1, v2, and v3, whose uptests fail
    vr hosts drain h2                # or: vr hosts undrain h2

Pull a host's cable, and put it back:
    ip -n {_TAG}-ctl link set port-h3 down      # ... up
A shell in the server's network:
    ip netns exec {_TAG}-ctl bash

All of it ends with: make fleet-down
"""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Everything up, below `folder`; gives what to tell people. Nothing is left afterwards."""
    begin = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - begin:4.0f} s  {what}", flush=True)

    with contextlib.ExitStack() as stack:
        # Here, before this thread goes into the fleet's network.
        pages = socket.create_server(("127.0.0.1", PAGES_PORT))
        apps = socket.create_server(("127.0.0.1", APPS_PORT))
        fleet = Fleet(folder / "hosts", _HOSTS, _TAG)
        stack.callback(fleet.down)
        fleet.up()
        say(f"{_HOSTS} machines let in by SSH")
        with fleet.controller():
            database = stack.enter_context(postgres_server(folder / "postgres"))
            say("PostgreSQL is up")
            tls = certificate(folder, "localhost")
            # RabbitMQ's account must get there.
            queue = folder / "rabbitmq"
            broker = stack.enter_context(tls_rabbitmq_server(queue, _PASSWORD, tls))
            say("RabbitMQ is up")
        extra = {
            "VR_DATABASE_URL": database,
            "VR_BROKER_URL": broker,
            "VR_TLS_AUTHORITY": str(tls[0]),
            "VR_ALLOWED_HOSTS": f"{CONTROLLER},127.0.0.1,localhost",
            "VR_TRUSTED_ORIGINS": f"http://127.0.0.1:{PAGES_PORT}",
        }
        server = stack.enter_context(
            fleet_server(fleet, folder / "server", extra, webs=2, workers=2)
        )
        say("Redis, two web processes, two workers, beat and nginx are up")
        webs = [(CONTROLLER, WEB_PORT), (CONTROLLER, WEB_PORT + 1)]
        for listener, there in ((pages, webs), (apps, [("127.0.0.1", server.http_port)])):
            stack.enter_context(relay(listener, there, fleet.controller))
        _fill(server, fleet)
        say(f"{_HOSTS} hosts are prepared, and the shop is swarmed over them")
        yield _SAID


def clear(folder: Path) -> None:
    """End what a fleet left whose own process was killed."""
    spaces = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False)
    for line in spaces.stdout.splitlines():
        space = line.split()[0] if line.split() else ""
        if space.startswith(f"{_TAG}-"):
            found = subprocess.run(
                ["ip", "netns", "pids", space], capture_output=True, text=True, check=False
            )
            for pid in found.stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
    if (folder / "hosts").exists():
        Fleet(folder / "hosts", _HOSTS, _TAG).down()


def _fill(server: FleetServer, fleet: Fleet) -> None:
    """An admin who can sign in, the machines as hosts, and a swarm."""
    server.python(
        "import django; django.setup()\n"
        "from django.contrib.auth.models import User\n"
        f"admin = User.objects.get(); admin.set_password({_PASSWORD!r}); admin.save()"
    )
    key = server.vr("hosts", "key").stdout.strip()

    def add(name: str) -> None:
        fleet.run(name, ["sh", "-c", f"echo '{key}' >>/root/.ssh/authorized_keys"])
        server.vr("hosts", "add", name, "--squad", "web", "--address", fleet.address(name))

    # The first makes the wheels that all of them get.
    add(fleet.names[0])
    with ThreadPoolExecutor(len(fleet.names)) as threads:
        list(threads.map(add, fleet.names[1:]))
    server.vr(
        *("swarms", "add", "shop", "web", "--tag", "v1", "--config-name", "prod"),
        *("--squad", "web", "--size", str(_HOSTS), "--pool", "shop", "--balancer", "nginx"),
    )
    server.vr("swarm", "shop-prod-web", "v1")
