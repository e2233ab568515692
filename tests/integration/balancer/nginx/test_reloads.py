"""What a reload for one pool does to what another pool's nodes are sending: nothing, for as long
as old workers may take."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.nginx_server import Nginx, nginx_server
from support.ports import free_port
from support.waiting import until
from vr.balancer.nginx.balancer import NginxBalancer
from vr.balancer.nginx.workers import observe
from vr.hosts.local import LocalConnection
from vr.hosts.supervisor import Supervisor
from vr.paths import Root

NOWHERE = Path("/nonexistent")
HERE = LocalConnection("here", Root(NOWHERE), Supervisor("here", "unix:///none"), NOWHERE)
SHUTDOWN_SECONDS = 3


@pytest.fixture(scope="module")
def nginx() -> Iterator[Nginx]:
    # Not pytest's folder, which another session closes to nginx's workers.
    with (
        tempfile.TemporaryDirectory(prefix="vr-nginx-") as folder,
        nginx_server(Path(folder) / "nginx", shutdown_seconds=SHUTDOWN_SECONDS) as found,
    ):
        yield found


@pytest.fixture
def balancer(nginx: Nginx) -> Iterator[NginxBalancer]:
    made = NginxBalancer(nginx.config, [HERE])
    yield made
    for pool in ("shop", "blog"):
        made.delete_pool(pool)


@contextmanager
def echoing(head: bytes) -> Iterator[str]:
    """The node of a server that answers `head`, then sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while b"\r\n\r\n" not in connection.recv(65536):
                    pass
                connection.sendall(head)
                try:
                    while data := connection.recv(65536):
                        connection.sendall(data)
                except OSError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.fixture
def websocket(nginx: Nginx, balancer: NginxBalancer) -> Iterator[socket.socket]:
    """A connection through the pool `shop` that is a WebSocket to nginx."""
    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    with echoing(switching + b"Connection: upgrade\r\n\r\n") as node:
        balancer.set_nodes("shop", [node])
        with socket.create_connection(("127.0.0.1", nginx.port), timeout=10) as connection:
            connection.sendall(
                b"GET / HTTP/1.1\r\nHost: shop.localhost\r\nUpgrade: websocket\r\n"
                b"Connection: upgrade\r\n\r\n"
            )
            assert connection.recv(65536).startswith(b"HTTP/1.1 101 ")
            yield connection


def _answers(websocket: socket.socket, text: bytes) -> bool:
    try:
        websocket.sendall(text)
        return websocket.recv(100) == text
    except (ConnectionError, BrokenPipeError):
        return False


def _old_workers(nginx: Nginx) -> int:
    workers = observe(HERE, nginx.folder / "nginx.pid")
    return len(workers.ending) if workers else 0


def test_a_websocket_lives_on_through_reloads_for_other_pools_until_the_drain_is_over(
    nginx: Nginx, balancer: NginxBalancer, websocket: socket.socket
) -> None:
    assert _answers(websocket, b"before")
    began = time.monotonic()
    balancer.set_nodes("blog", [f"127.0.0.1:{free_port()}"])
    until(lambda: _old_workers(nginx) == 1, "only the worker that serves it is left")
    balancer.set_nodes("blog", [f"127.0.0.1:{free_port()}"])
    assert _answers(websocket, b"after two reloads")
    until(lambda: not _answers(websocket, b"still"), "the old worker's time is over")
    assert time.monotonic() - began >= SHUTDOWN_SECONDS, "it was cut before"
    until(lambda: not _old_workers(nginx), "the old worker has ended")


def test_a_download_through_a_reload_for_another_pool_comes_whole(
    nginx: Nginx, balancer: NginxBalancer
) -> None:
    go_on = threading.Event()
    half = b"x" * 500_000
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + half)
                go_on.wait(20)
                connection.sendall(half)

        thread = threading.Thread(target=serve)
        thread.start()
        balancer.set_nodes("shop", [f"127.0.0.1:{server.getsockname()[1]}"])
        with socket.create_connection(("127.0.0.1", nginx.port), timeout=20) as client:
            client.sendall(b"GET / HTTP/1.0\r\nHost: shop.localhost\r\n\r\n")
            got = client.recv(1000)
            balancer.set_nodes("blog", [f"127.0.0.1:{free_port()}"])
            until(lambda: _old_workers(nginx) == 1, "only the worker that serves it is left")
            go_on.set()
            while more := client.recv(1 << 20):
                got += more
        thread.join()
    assert len(got.partition(b"\r\n\r\n")[2]) == 1_000_000
