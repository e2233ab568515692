"""What vrun uptest prints, understood."""

from __future__ import annotations

import pytest

from vr.server.uptests.results import describe_failures, have_passed, parse

PASSED = '[{"Name": "01_alive", "Passed": true, "Output": "ok", "Duration": 0.1}]'


def test_results_are_read() -> None:
    [result] = parse(0, PASSED)
    assert result == {"Name": "01_alive", "Passed": True, "Output": "ok", "Duration": 0.1}


def test_no_uptests_pass() -> None:
    assert parse(0, "[]") == [] and have_passed([])


@pytest.mark.parametrize(
    ("status", "stdout", "stderr", "said"),
    [
        (1, "", "error: no such image", "error: no such image"),
        (1, "", "", "the runner ended with 1 and said nothing"),
        (0, "nothing here", "", "nothing here"),
        (0, "[{", "", "unreadable results"),
        (0, "[1, 2]", "", "not a list of results"),
        (0, "warning: odd\n" + PASSED, "", "warning: odd"),
        (1, PASSED, "", "01_alive"),
    ],
)
def test_what_is_not_known_to_have_passed_has_failed(
    status: int, stdout: str, stderr: str, said: str
) -> None:
    results = parse(status, stdout, stderr)
    assert not have_passed(results)
    assert results[0]["Name"] == "uptester" and said in results[0]["Output"]


def test_only_true_is_passed() -> None:
    assert not have_passed(parse(0, '[{"Name": "x", "Passed": "yes", "Output": ""}]'))


def test_failures_are_described_with_their_output() -> None:
    results = parse(
        0,
        '[{"Name": "a", "Passed": true, "Output": "fine"},'
        ' {"Name": "b", "Passed": false, "Output": "100% broken\\n"},'
        ' {"Name": "c", "Passed": false, "Output": ""}]',
    )
    assert describe_failures(results) == "--- b ---\n100% broken\n--- c ---\n(no output)"


def test_results_that_are_nested_without_end_have_failed() -> None:
    [result] = parse(0, "[" * 100_000)
    assert result["Passed"] is False
    assert "nested too deeply" in result["Output"]


@pytest.mark.parametrize("duration", ["NaN", "1e999", '"long"', "true", "9" * 400])
def test_a_duration_that_is_none_is_unknown(duration: str) -> None:
    [result] = parse(0, f'[{{"Passed": true, "Duration": {duration}}}]')
    assert result["Duration"] is None
    assert result["Passed"] is True


def test_output_is_text_that_a_database_keeps() -> None:
    [result] = parse(0, '[{"Passed": true, "Output": "a\\u0000b\\ud800c \\ud83e\\udd96"}]')
    assert result["Output"] == "a\ufffdb\ufffdc \U0001f996"
