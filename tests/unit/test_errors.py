"""Exit codes and what a terminal shows, decided in one place."""

from __future__ import annotations

import pytest

from vr.errors import InvalidInput, VelociraptorError, explain, run_main


def fail_with(error: BaseException) -> int:
    def command() -> int:
        raise error

    return run_main(command)


def test_success_is_zero() -> None:
    assert run_main(lambda: None) == 0


def test_a_users_mistake_is_a_sentence_and_never_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert fail_with(VelociraptorError("It is wrong.", hint="Do this.", details="log end")) == 1
    shown = capsys.readouterr().err
    assert shown == "error: It is wrong.\nlog end\nhint: Do this.\n"


def test_invalid_input_lists_every_problem_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail_with(InvalidInput("proc.yaml", ["port: is 'x'", "user: is missing"])) == 2
    shown = capsys.readouterr().err
    assert "proc.yaml: 2 problems:" in shown
    assert "\n  - port: is 'x'\n  - user: is missing" in shown


def test_one_problem_needs_no_list() -> None:
    assert explain(InvalidInput("a.yaml", ["x: is missing"])) == "error: a.yaml: x: is missing"


def test_our_own_bugs_keep_their_traceback_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail_with(ZeroDivisionError()) == 70
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "bug in Velociraptor" in shown
