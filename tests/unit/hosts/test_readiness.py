"""How far a proc is, for every state of Supervisor's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ports import free_port
from vr.hosts.connection import HostConnection
from vr.hosts.local import LocalConnection
from vr.hosts.readiness import ProcState, state_of
from vr.hosts.supervisor import Supervisor
from vr.paths import Root

STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL = 0, 10, 20, 30, 40, 100, 200


@pytest.fixture
def host() -> HostConnection:
    nowhere = Path("/nonexistent")
    return LocalConnection("127.0.0.1", Root(nowhere), Supervisor("test", "unix://"), nowhere)


@pytest.fixture
def port() -> Iterator[int]:
    """A port that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("state", "start", "expected"),
    [
        (STOPPED, 0, ProcState.STARTING),  # never started yet
        (STOPPED, 1, ProcState.DEAD),
        (STARTING, 1, ProcState.STARTING),
        (RUNNING, 1, ProcState.READY),
        (BACKOFF, 1, ProcState.DEAD),
        (STOPPING, 1, ProcState.DEAD),
        (EXITED, 1, ProcState.DEAD),
        (FATAL, 1, ProcState.DEAD),
    ],
)
def test_what_does_not_listen_is_ready_when_it_runs(
    host: HostConnection, state: int, start: int, expected: ProcState
) -> None:
    assert state_of({"state": state, "start": start}, host, 0, listens=False) is expected


@pytest.mark.parametrize("state", [STARTING, RUNNING])
def test_what_listens_is_ready_when_its_port_accepts(
    host: HostConnection, port: int, state: int
) -> None:
    info = {"state": state, "start": 1}
    assert state_of(info, host, port, listens=True) is ProcState.READY
    assert state_of(info, host, free_port(), listens=True) is ProcState.STARTING


def test_a_dead_proc_is_dead_whoever_has_its_port(host: HostConnection, port: int) -> None:
    assert state_of({"state": EXITED, "start": 1}, host, port, listens=True) is ProcState.DEAD
