"""Ports: free to listen on, or answered by somebody."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from support.ports import free_port
from vr.machine.ports import answers, is_free, listen_error


@pytest.fixture(params=["127.0.0.1", "0.0.0.0", "::1", "::"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((request.param, free_port()))
        sock.listen(1)
        yield sock


def test_a_port_that_somebody_listens_on_is_taken(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert not is_free(port)
    listener.close()
    assert is_free(port)


def test_a_port_of_another_address_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        assert listen_error("127.0.0.2", port) is None
        error = listen_error("127.0.0.1", port)
    assert error
    assert error.errno == errno.EADDRINUSE


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    error = listen_error("192.0.2.1", free_port())
    assert error
    assert error.errno == errno.EADDRNOTAVAIL


def test_a_connection_that_lingers_does_not_keep_the_port() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            # The side that closes first is the one that lingers.
            accepted.close()
    assert is_free(port)


def test_somebody_answers_or_nobody() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        port = server.getsockname()[1]
        assert answers(port)
        assert answers(port, "localhost", seconds=5)
    assert not answers(port)
