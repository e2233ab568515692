"""What the server refuses is told in its own words."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.client.connection import lines_of, refusal

REQUEST = httpx.Request("GET", "http://deploy/api/v1/apps/")


def answered(status: int, **content: object) -> httpx.Response:
    return httpx.Response(status, json=content, request=REQUEST)


def test_the_sentence_the_hint_and_the_details_are_the_servers() -> None:
    error = refusal(answered(409, error="It is busy.", hint="Wait.", details="log"))
    assert (error.message, error.hint, error.details) == ("It is busy.", "Wait.", "log")
    assert (error.status, error.exit_code) == (409, 1)


def test_invalid_input_has_the_exit_code_of_usage() -> None:
    assert refusal(answered(400, error="no")).exit_code == 2


@pytest.mark.parametrize("content", [b"<html>", b"", b"[1]", b'{"x": 1}'])
def test_an_answer_of_another_kind_is_told_by_its_status(content: bytes) -> None:
    error = refusal(httpx.Response(502, content=content, request=REQUEST))
    assert "502" in error.message


def test_a_refused_token_says_how_to_get_one() -> None:
    assert "VR_TOKEN" in refusal(answered(401, error="Log in")).hint


@given(st.lists(st.text("ab\n\r\x0c\x85\u2028")))
def test_lines_of_a_stream_end_with_newlines_only(parts: list[str]) -> None:
    # A log's form feed must neither hide what follows nor begin another field of the stream.
    assert list(lines_of(parts)) == "".join(parts).split("\n")[:-1]
