"""What nginx does with requests that nodes don't take, don't answer, or answer at length."""

from __future__ import annotations

import re
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from support.nginx_server import Nginx, nginx_server
from support.ports import free_port
from vr.balancer.nginx.balancer import NginxBalancer
from vr.hosts.local import LocalConnection
from vr.hosts.supervisor import Supervisor
from vr.paths import Root
from vr.specs.passing import Passing

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@pytest.fixture(scope="module")
def nginx() -> Iterator[Nginx]:
    # Not pytest's folder, which another session closes to nginx's workers.
    with (
        tempfile.TemporaryDirectory(prefix="vr-nginx-") as folder,
        nginx_server(Path(folder) / "nginx") as found,
    ):
        yield found


@pytest.fixture
def balancer(nginx: Nginx) -> Iterator[NginxBalancer]:
    nowhere = Path("/nonexistent")
    here = LocalConnection("here", Root(nowhere), Supervisor("here", "unix:///none"), nowhere)
    made = NginxBalancer(nginx.config, [here])
    yield made
    made.delete_pool("shop")


class App:
    """A server that notes each request's first line and answers what `answer` makes of it;
    None closes the connection."""

    def __init__(self, answer: Callable[[str], bytes | None]) -> None:
        self.seen: list[str] = []
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.node = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                data = b""
                while b"\r\n\r\n" not in data and (more := connection.recv(1 << 20)):
                    data += more
                # A body that nobody has read would reset the connection, and the answer with it.
                head, _, body = data.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: *([0-9]+)", head)
                left = int(length[1]) - len(body) if length else 0
                while left > 0 and (more := connection.recv(1 << 20)):
                    left -= len(more)
                line = data.split(b"\r\n")[0].decode()
                self.seen.append(line)
                if answer := self._answer(line):
                    connection.sendall(answer)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()


@contextmanager
def apps(count: int, answer: Callable[[str], bytes | None]) -> Iterator[list[App]]:
    made = [App(answer) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.close()


def _bad(line: str) -> bytes | None:
    return None if " /bad" in line else OK


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
def test_a_request_that_closes_its_connection_is_sent_once_and_harms_nobody_else(
    nginx: Nginx, balancer: NginxBalancer, method: str
) -> None:
    with apps(2, _bad) as both:
        balancer.set_nodes("shop", [app.node for app in both])
        url, host = f"http://127.0.0.1:{nginx.port}", {"Host": "shop.localhost"}
        assert httpx.request(method, f"{url}/bad", headers=host).status_code == 502
        assert [nginx.get("shop").status_code for _ in range(40)] == [200] * 40
        assert sum(" /bad" in line for app in both for line in app.seen) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_dead_node_does_not_take_goes_to_a_living_one(
    nginx: Nginx, balancer: NginxBalancer, method: str
) -> None:
    with apps(1, _bad) as (app,):
        dead = [f"127.0.0.1:{free_port()}" for _ in range(3)]
        balancer.set_nodes("shop", [*dead, app.node])
        url, host = f"http://127.0.0.1:{nginx.port}/", {"Host": "shop.localhost"}
        content = b"x" * 100_000 if method == "POST" else None
        for _ in range(40):
            assert httpx.request(method, url, headers=host, content=content).status_code == 200
        assert len(app.seen) == 40


def test_backups_serve_while_no_node_takes_requests_and_only_then(
    nginx: Nginx, balancer: NginxBalancer
) -> None:
    with apps(2, _bad) as (new, old):
        balancer.set_nodes("shop", [new.node], backups=[old.node])
        assert [nginx.get("shop").status_code for _ in range(10)] == [200] * 10
        assert (len(new.seen), len(old.seen)) == (10, 0)
        balancer.set_nodes("shop", [f"127.0.0.1:{free_port()}"], backups=[old.node])
        assert [nginx.get("shop").status_code for _ in range(10)] == [200] * 10
        assert len(old.seen) == 10
        assert balancer.get_nodes("shop") != [old.node]


def test_large_headers_and_cookies_pass_both_ways(nginx: Nginx, balancer: NginxBalancer) -> None:
    large = b"x" * 65_536
    answer = OK.replace(b"\r\nConn", b"\r\nSet-Cookie: a=" + large + b"\r\nConn")
    with apps(1, lambda _: answer) as (app,):
        balancer.set_nodes("shop", [app.node])
        headers = {"Host": "shop.localhost", "Cookie": large.decode()}
        found = httpx.get(f"http://127.0.0.1:{nginx.port}/{'p' * 20_000}", headers=headers)
        assert found.status_code == 200
        assert len(found.headers["Set-Cookie"]) > 65_536


def test_a_stream_comes_as_it_is_sent(nginx: Nginx, balancer: NginxBalancer) -> None:
    go_on = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst")
                go_on.wait(10)
                connection.sendall(b"last")

        thread = threading.Thread(target=serve)
        thread.start()
        balancer.set_nodes("shop", [f"127.0.0.1:{server.getsockname()[1]}"])
        url = f"http://127.0.0.1:{nginx.port}/"
        with httpx.stream("GET", url, headers={"Host": "shop.localhost"}) as answer:
            pieces = answer.iter_raw()
            assert next(pieces) == b"first"
            go_on.set()
            assert b"".join(pieces) == b"last"
        thread.join()


@pytest.fixture
def two_pools(balancer: NginxBalancer) -> Iterator[Callable[..., None]]:
    """Routes the pool `shop` as told and the pool `blog` as usual, to the same node."""

    def route(app: App, passing: Passing) -> None:
        balancer.set_nodes("shop", [app.node], passing=passing)
        balancer.set_nodes("blog", [app.node])

    yield route
    balancer.delete_pool("blog")


def _post(nginx: Nginx, pool: str, size: int) -> int:
    url, host = f"http://127.0.0.1:{nginx.port}/", {"Host": f"{pool}.localhost"}
    return httpx.post(url, headers=host, content=b"x" * size).status_code


def test_a_pool_has_a_body_size_of_its_own(nginx: Nginx, two_pools: Callable[..., None]) -> None:
    with apps(1, lambda _: OK) as (app,):
        two_pools(app, Passing(body_size="10k"))
        assert (_post(nginx, "shop", 10_000), _post(nginx, "shop", 11_000)) == (200, 413)
        assert _post(nginx, "blog", 900_000) == 200


def test_a_pool_has_a_header_size_of_its_own(nginx: Nginx, two_pools: Callable[..., None]) -> None:
    answer = OK.replace(b"\r\nConn", b"\r\nX-Large: " + b"x" * 100_000 + b"\r\nConn")
    with apps(1, lambda _: answer) as (app,):
        two_pools(app, Passing(header_size="128k"))
        assert (_status(nginx, "shop"), _status(nginx, "blog")) == (200, 502)


def test_a_pool_has_a_read_timeout_of_its_own(nginx: Nginx, balancer: NginxBalancer) -> None:
    """Silence that one pool allows ends an answer or a WebSocket of another."""
    hold = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            held = [server.accept()[0] for _ in range(2)]
            hold.wait(20)
            for connection in held:
                with connection:
                    connection.recv(65536)
                    with suppress(OSError):
                        connection.sendall(OK)

        thread = threading.Thread(target=serve)
        thread.start()
        node = f"127.0.0.1:{server.getsockname()[1]}"
        balancer.set_nodes("blog", [node])
        balancer.set_nodes("shop", [node], passing=Passing(read_timeout=1))
        patient: list[int] = []
        waiting = threading.Thread(target=lambda: patient.append(_status(nginx, "blog")))
        waiting.start()
        assert _status(nginx, "shop") == 504
        assert patient == []
        hold.set()
        waiting.join()
        thread.join()
    balancer.delete_pool("blog")
    assert patient == [200]


def _status(nginx: Nginx, pool: str) -> int:
    with socket.create_connection(("127.0.0.1", nginx.port), timeout=20) as client:
        client.sendall(f"GET / HTTP/1.0\r\nHost: {pool}.localhost\r\n\r\n".encode())
        answer = b""
        while more := client.recv(1 << 20):
            answer += more
    return int(answer.split(b" ")[1])


def test_how_a_pool_is_passed_on_stays_when_its_nodes_change(
    nginx: Nginx, balancer: NginxBalancer
) -> None:
    file = nginx.folder / "pools" / "shop.conf"
    with apps(2, lambda _: OK) as (one, two):
        balancer.set_nodes("shop", [one.node], passing=Passing(90, "10k", "128k"))
        balancer.add_nodes("shop", [two.node])
        balancer.delete_nodes("shop", [one.node])
        balancer.set_nodes("shop", [two.node], backups=[one.node])
        assert "proxy_read_timeout 90s;" in file.read_text()
        assert _post(nginx, "shop", 11_000) == 413
        balancer.set_nodes("shop", [two.node], passing=Passing())
        assert _post(nginx, "shop", 11_000) == 200
        assert "passing:" not in file.read_text()
