"""network: private: the port comes in, the app gets out, and neighbours are out of reach."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.ports import free_port
from support.processes import children
from support.waiting import until

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
ANSWER = """\
import socket
server = socket.create_server(("0.0.0.0", int(__import__("os").environ["PORT"])))
print("ready", flush=True)
while True:
    peer, _ = server.accept()
    peer.sendall(b"hello")
    peer.close()
"""


def own_address() -> str:
    """This host's address as others see it; connecting a UDP socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.99", 9))
        address: str = probe.getsockname()[0]
        return address


def left_on_the_host(network: str) -> str:
    prefix = network.rpartition(".")[0]
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True).stdout
    links = subprocess.run(["ip", "-o", "address"], capture_output=True, text=True).stdout
    return "\n".join(line for line in (rules + links).splitlines() if f"{prefix}." in line)


@pytest.fixture
def web(proc: Callable[..., Any], build: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Procs that answer on their port, in networks of their own."""
    forward = FORWARD.read_text()
    network = f"10.215.{os.getpid() % 256}.0/27"

    def make(**keys: Any) -> Any:
        files = {"answer.py": ANSWER, **keys.pop("files", {})}
        keys = {"port": free_port(), "cmd": "exec python3 answer.py", **keys}
        one = proc(**build(files), network="private", **keys)
        one.extra["VR_PRIVATE_NETWORK"] = network
        return one

    yield make
    FORWARD.write_text(forward)


def answers(address: str, port: int) -> bytes | None:
    try:
        with socket.create_connection((address, port), 2) as connection:
            return connection.recv(5)
    except OSError:
        return None


def port_of(one: Any) -> int:
    return int(one.name.rpartition("-")[2])


def test_the_port_is_forwarded_from_every_address_of_the_host(web: Callable[..., Any]) -> None:
    one = web().setup()
    running = one.launch()
    running.shows("ready")
    assert answers("127.0.0.1", port_of(one)) == b"hello"
    assert answers(own_address(), port_of(one)) == b"hello"
    running.stop()
    assert answers("127.0.0.1", port_of(one)) is None
    assert left_on_the_host(one.extra["VR_PRIVATE_NETWORK"]) == ""


def test_a_container_reaches_the_host_but_no_neighbour_and_no_loopback(
    web: Callable[..., Any],
) -> None:
    neighbour = web().setup()
    neighbour.launch().shows("ready")
    inside = next(
        line.split("= ")[1].split("/")[0]
        for line in neighbour.paths.lxc_conf.read_text().splitlines()
        if line.startswith("lxc.net.0.ipv4.address")
    )
    with socket.create_server(("0.0.0.0", 0)) as listener:
        threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()
        targets = {
            "host": (own_address(), listener.getsockname()[1]),
            "host's loopback": ("127.0.0.1", listener.getsockname()[1]),
            "forwarded": (own_address(), port_of(neighbour)),
            "neighbour": (inside, port_of(neighbour)),
        }
        look = (
            "import os, socket\n"
            f"for name, address in {targets!r}.items():\n"
            "    try: socket.create_connection(address, 1); print(name, 'reached')\n"
            "    except OSError: print(name, 'refused')\n"
            "print(sorted(os.listdir('/sys/class/net')))\n"
        )
        running = web(cmd="python3 look.py", files={"look.py": look}).setup().launch()
        assert running.process.wait(30) == 0, running.output
    assert running.output.splitlines() == [
        "host reached",
        "host's loopback refused",
        "forwarded reached",
        "neighbour refused",
        "['eth0', 'lo']",
    ]


def test_uptests_reach_the_proc_and_leave_no_addresses(web: Callable[..., Any]) -> None:
    check = (
        "#!/usr/bin/env python3\nimport socket, sys\n"
        "print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).recv(5))\n"
    )
    one = web(files={"uptests/web/check": check}, proc_name="web").setup()
    one.launch().shows("ready")
    (result,) = one.uptest()
    assert result["Passed"], result
    assert len(list(one.root.networks.iterdir())) == 1


@pytest.mark.parametrize("victim", ["launcher", "monitor"])
def test_what_a_kill_left_goes_with_the_next_start_and_with_teardown(
    web: Callable[..., Any], victim: str
) -> None:
    one = web().setup()
    running = one.launch()
    running.shows("ready")
    pid = running.process.pid
    monitor = children(pid)[0]
    if victim == "monitor":
        os.kill(pid, signal.SIGSTOP)  # or it would clean up at once
    os.kill(pid if victim == "launcher" else monitor, signal.SIGKILL)
    if victim == "monitor":
        os.kill(pid, signal.SIGKILL)
    running.process.wait(30)
    until(lambda: not one.processes(), "the container is gone")
    again = one.launch()
    again.shows("ready")
    assert answers("127.0.0.1", port_of(one)) == b"hello"
    again.process.kill()
    again.process.wait(30)
    assert one.vrun("teardown", "--wait", "10").returncode == 0
    assert left_on_the_host(one.extra["VR_PRIVATE_NETWORK"]) == ""
    assert not any(one.root.networks.iterdir())


def test_gc_frees_the_addresses_of_a_proc_whose_folder_is_gone(web: Callable[..., Any]) -> None:
    one = web().setup()
    shutil.rmtree(one.paths.folder)
    done = one.vrun_alone("gc")
    assert f"freed the private addresses of {one.name}" in done.stdout
    assert not any(one.root.networks.iterdir())
