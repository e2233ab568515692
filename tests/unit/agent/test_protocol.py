"""Supervisor's event listener protocol."""

from __future__ import annotations

import io

from vr.agent.protocol import Notice, Protocol, parse

BODY = "processname:web groupname:web from_state:STARTING pid:2766"
HEADER = (
    f"ver:3.0 server:supervisor serial:21 pool:listener poolserial:10 "
    f"eventname:PROCESS_STATE_RUNNING len:{len(BODY)}\n"
)


def test_a_notice_is_read() -> None:
    assert parse(HEADER, BODY) == Notice(
        "PROCESS_STATE_RUNNING",
        {"processname": "web", "groupname": "web", "from_state": "STARTING", "pid": "2766"},
    )


def test_the_listener_says_ready_and_acknowledges() -> None:
    said = io.BytesIO()
    protocol = Protocol(io.BytesIO((HEADER + BODY).encode()), said)
    assert protocol.wait() is not None
    protocol.acknowledge()
    assert said.getvalue() == b"READY\nRESULT 2\nOK"


def test_a_closed_pipe_ends_it() -> None:
    assert Protocol(io.BytesIO(), io.BytesIO()).wait() is None
    assert Protocol(io.BytesIO((HEADER + BODY[:5]).encode()), io.BytesIO()).wait() is None
