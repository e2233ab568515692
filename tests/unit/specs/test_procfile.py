"""The Procfile's line grammar."""

from __future__ import annotations

import pytest

from vr.specs.procfile import parse


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("web: gunicorn a:b -b :$PORT", {"web": "gunicorn a:b -b :$PORT"}),
        ("web:python x.py # no comment", {"web": "python x.py # no comment"}),
        ("\ufeffweb\t:\ta && b | c\r\n\r\n# note\r\nworker: 'x' @y *z [q]", {
            "web": "a && b | c", "worker": "'x' @y *z [q]"}),
        ("", {}),
    ],
)  # fmt: skip
def test_lines_are_taken_verbatim(text: str, commands: dict[str, str]) -> None:
    found = parse(text)
    assert found.commands == commands
    assert found.problems == []


def test_wrong_lines_are_told_with_their_number() -> None:
    found = parse("web: x\nworker\nempty:\nmy-proc: y\n")
    assert found.commands == {"web": "x"}
    assert [problem.split(":")[0] for problem in found.problems] == ["line 2", "line 3", "line 4"]
    assert "'my_proc'" in found.problems[2]


def test_the_last_of_two_equal_names_wins_with_a_warning() -> None:
    found = parse("web: a\nweb: b")
    assert found.commands == {"web": "b"}
    assert "line 2" in found.warnings[0]


def test_blanks_without_end_are_one_wrong_line() -> None:
    """Tracked back, this would take hours."""
    found = parse("web" + " " * 400_000)
    assert found.problems == ["line 1: 'web' is not of the form 'name: command'"]
    assert parse("web: a" + " " * 400_000 + "b").commands["web"].endswith(" b")


def test_of_many_wrong_lines_the_first_are_told() -> None:
    found = parse("x" * 500 + "\n" + "wrong\n" * 100_000)
    assert len(found.problems) == 21
    assert len(found.problems[0]) < 150
    assert found.problems[-1] == "line 21 and those after it were not looked at"


def test_long_lines_are_told_by_their_beginning() -> None:
    fits, long = "x" * 80, "y" * 81
    assert parse(f"{fits}\n{long}").problems == [
        f"line 1: '{fits}' is not of the form 'name: command'",
        f"line 2: '{long[:80]}…' is not of the form 'name: command'",
    ]


def test_refusals_and_warnings_are_told_in_words() -> None:
    found = parse("my-proc: y\nweb: a\nweb: b\n: c\n#x\n  # y")
    assert found.problems == [
        "line 1: the name 'my-proc' contains '-', which separates the parts "
        "of a proc's name; call it 'my_proc'",
        "line 4: ': c' is not of the form 'name: command'",
    ]
    assert found.warnings == ["line 3: 'web' appears twice; the last one counts"]


def test_lines_end_as_on_any_system() -> None:
    assert parse("a: 1\rb: 2\r\nc: 3\n").commands == {"a": "1", "b": "2", "c": "3"}
