"""What is reported of a script's end."""

from __future__ import annotations

import json

import pytest

from vr.runner.uptest import OUTPUT_LIMIT, result, to_json


@pytest.mark.parametrize(
    ("output", "code", "passed", "text"),
    [
        (b"ok 100% {}\n", 0, True, "ok 100% {}\n"),
        (b"", 3, False, "exit status 3"),
        (b"why\n", 1, False, "why\n"),
        (b"so far", None, False, "so far\nkilled after 2 seconds"),
        (b"\xff", 0, True, "\ufffd"),
    ],
)
def test_outcomes(output: bytes, code: int | None, passed: bool, text: str) -> None:
    found = result("01", output, code, 0.25, 2.0)
    assert (found.Passed, found.Output) == (passed, text)


def test_output_is_bounded() -> None:
    found = result("01", b"x" * (OUTPUT_LIMIT + 1), 0, 0.1, 60)
    assert len(found.Output) < OUTPUT_LIMIT + 100
    assert "cut after" in found.Output


def test_the_array_has_the_originals_keys() -> None:
    (found,) = json.loads(to_json([result("01", b"", 0, 0.1234567, 60)]))
    assert found == {"Name": "01", "Passed": True, "Output": "", "Duration": 0.123}
    assert to_json([]) == "[]"
