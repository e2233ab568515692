"""HTTP answers in whatever pieces they come."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr.pilot.httpwire import BadResponse, Response, ResponseParser, render_request

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n"
)


def parse(pieces):
    parser = ResponseParser()
    for piece in pieces:
        response = parser.feed(piece)
        if response is not None:
            return response
    return parser.end()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PLAIN, Response(200, b"hello", True)),
        (CHUNKED.replace(b"Trailer: 1\r\n", b""), Response(500, b"hello", True)),
        (CHUNKED, Response(500, b"hello", False)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, Response(200, b"hello", True)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Response(204, b"", True)),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", Response(200, b"to the end", False)),
        (
            PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
            Response(200, b"hello", False),
        ),
    ],
)
def test_reads_an_answer(data, expected):
    assert parse([data]) == expected
    assert parse([data[i : i + 1] for i in range(len(data))]) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
        PLAIN[:-1],
        b"x" * 70_000,
    ],
)
def test_refuses_what_is_none(data):
    with pytest.raises(BadResponse):
        parse([data])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([PLAIN, CHUNKED[:60]]), max_size=4))
def test_any_bytes_are_an_answer_or_refused(pieces):
    with contextlib.suppress(BadResponse):
        assert isinstance(parse(pieces), Response)


def test_any_number_of_interim_answers_is_read_over():
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    assert parse([interim * 5000 + PLAIN]) == Response(200, b"hello", True)


def test_a_request():
    assert render_request("PUT", "/v1/x?note=ok", "c:1", {"X-Consul-Token": "t"}, b"{}") == (
        b"PUT /v1/x?note=ok HTTP/1.1\r\nHost: c:1\r\nContent-Length: 2\r\n"
        b"X-Consul-Token: t\r\n\r\n{}"
    )
