"""What a host says that one of its ports answers, whatever that is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.ports import free_port
from vr.hosts import local
from vr.hosts.local import LocalConnection
from vr.hosts.supervisor import Supervisor
from vr.paths import Root


@pytest.fixture
def host() -> LocalConnection:
    nowhere = Path("/nonexistent")
    return LocalConnection("127.0.0.1", Root(nowhere), Supervisor("here", "unix:///x"), nowhere)


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that lets `answer` deal with the first connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, ""),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", 302, "to /login"),
        (b"HTTP/1.1 500 Oh\r\n\r\nDATABASE_URL is not set", 500, "DATABASE_URL is not set"),
        (b"HTTP/1.1 500 Oh\r\n\r\n" + b"x" * 100_000, 500, "x" * 1000),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 99\r\n\r\ncut off", 500, "cut off"),
        (b"ENHANCE YOUR CALM\r\n\r\n", 0, "no answer (ENHANCE"),
        (b"", 0, "no answer ("),
    ],
)
def test_the_status_is_told_with_what_explains_it(
    host: LocalConnection, sent: bytes, status: int, said: str
) -> None:
    with answering(lambda connection: connection.sendall(sent)) as port:
        found = host.ask(port, "/")
    assert found[0] == status
    assert found[1] == said or (status == 0 and found[1].startswith(said))


def test_a_closed_port_is_no_answer(host: LocalConnection) -> None:
    status, said = host.ask(free_port(), "/")
    assert status == 0 and "refused" in said


def test_an_answer_that_never_comes_to_an_end_is_cut(
    host: LocalConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_ANSWER_SECONDS", 0.5)

    def drip(connection: socket.socket) -> None:
        connection.settimeout(0.1)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            try:
                connection.sendall(b"x")
                if connection.recv(10) == b"":
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    with answering(drip) as port:
        assert host.ask(port, "/")[0] == 0
