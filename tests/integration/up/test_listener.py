"""A listening socket that outlasts the process that listens."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.ports import free_port
from vr.up import listener

LISTEN = """\
import socket, sys
one = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(flush=True)
input()
"""


@contextmanager
def listening(port: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.communicate(b"\n")


@pytest.fixture
def handover(tmp_path: Path) -> Path:
    return tmp_path / "handover.sock"


def test_connections_wait_for_the_next_process_instead_of_being_refused(handover: Path) -> None:
    port = free_port()
    with listening(port) as process:
        taken = listener.of_process(process.pid, "127.0.0.1", port)
    assert taken is not None
    with listener.held(taken, handover):
        client = socket.create_connection(("127.0.0.1", port), timeout=5)
        heir = listener.take(handover, "127.0.0.1", port)
    assert heir is not None
    with client, heir:
        client.sendall(b"hello")
        connection, _ = heir.accept()
        with connection:
            assert connection.recv(5) == b"hello"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert not handover.exists()


def test_only_the_socket_that_is_asked_for_is_taken(handover: Path) -> None:
    port = free_port()
    with listening(port) as process:
        assert listener.addresses(process.pid) == {("127.0.0.1", port)}
        assert listener.of_process(process.pid, "127.0.0.1", free_port()) is None
        assert listener.of_process(process.pid, "0.0.0.0", port) is None
        found = listener.of_process(process.pid, "127.0.0.1", port)
        with listener.held(found, handover):
            assert listener.take(handover, "127.0.0.1", port + 1) is None


def test_without_a_holder_there_is_nothing_to_take(handover: Path) -> None:
    assert listener.take(handover, "127.0.0.1", 80) is None
    with listener.held(None, handover):
        assert listener.take(handover, "127.0.0.1", 80) is None
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(handover))
    assert listener.take(handover, "127.0.0.1", 80) is None, "its holder was killed"
    with listener.held(None, handover):
        assert not handover.exists()


def test_a_process_that_is_gone_has_no_socket() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert listener.of_process(process.pid, "127.0.0.1", 80) is None


def test_others_may_not_take_it(handover: Path) -> None:
    with listener.held(socket.create_server(("127.0.0.1", 0)), handover):
        assert handover.stat().st_mode & 0o777 == 0o600
