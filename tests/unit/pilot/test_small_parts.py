"""Durations, exit codes, masking."""

from __future__ import annotations

import re

import pytest

from vr.pilot.durations import go_duration, parse_duration
from vr.pilot.masking import Masker
from vr.pilot.processes import Exit, exit_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", 10), ("1h2m3.5s", 3723.5), ("300ms", 0.3), ("-1s", -1), (".5s", 0.5), ("10us", 1e-5)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0s"), (0.3, "300ms"), (1.5, "1.5s"), (10, "10s"), (90, "1m30s"), (3600, "1h0m0s")),
        *((0.0015, "1.5ms"), (1e-5, "10µs"), (1e-9, "1ns"), (-90, "-1m30s"), (0.9999999996, "1s")),
    ],
)
def test_durations_are_told_as_go_tells_them(seconds, text):
    assert go_duration(seconds) == text
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "1x", "1 s", "99999999999h", "1e3s"])
def test_no_durations(text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [(0, 0, "exit status 0"), (3 << 8, 3, "exit status 3"), (9, 137, "signal: killed")],
)
def test_exits(status, code, text):
    ended = exit_of(status)
    assert (ended.code, str(ended), ended.ok) == (code, text, code == 0)
    assert Exit(0).ok


def test_what_is_hidden_keeps_its_length_and_lines():
    mask = Masker({"DB_PASSWORD": "abcd\nef", "USER": "visible", "API_KEY": "xy"})
    assert mask("x abcd\nef y xy visible") == "x ****\n** y xy visible"
    assert mask(r'x "abcd\nef"') == 'x "********"'
    assert mask("http://me:pass@host/") == "http://*******@host/"
    assert mask.document({"token": "t", "a": ["abcd\nef"], "n": 1}) == {
        "token": "***",
        "a": ["****\n**"],
        "n": 1,
    }
