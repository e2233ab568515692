"""Cutting a growing log into lines."""

from __future__ import annotations

import pytest

from vr.server.streams.build_log import complete_lines


@pytest.mark.parametrize(
    ("chunk", "ended", "lines", "used"),
    [
        (b"", False, [], 0),
        (b"a\nb", False, ["a"], 2),
        (b"a\nb", True, ["a", "b"], 3),
        (b"a\n\nb\n", False, ["a", "", "b"], 5),
        (b" 1%\r 2%\r\nx", False, [" 2%"], 9),
        (b"\xff\n", False, ["\ufffd"], 2),
        (b"no end", False, [], 0),
    ],
)
def test_lines(chunk: bytes, ended: bool, lines: list[str], used: int) -> None:
    found, count = complete_lines(chunk, to_the_end=ended)
    assert [text for _, text in found] == lines
    assert count == used
