"""Environments: which names and values are refused, and how values are spelled."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from vr.specs.env import env_problems, scalar_text, spell, spelled_env


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"MY-VAR": "x"}, "'MY-VAR' can't be the name of a variable"),
        ({1: "x"}, "1 can't be the name of a variable"),
        ({"A": [1]}, "A is a list"),
        ({"A": {"b": 1}}, "A is a dict"),
        ({"A": "x\0y"}, "A holds a NUL"),
    ],
)
def test_each_problem_names_its_variable(env: dict[Any, Any], expected: str) -> None:
    (problem,) = env_problems(env)
    assert expected in problem


def test_all_problems_are_told_and_no_value_is() -> None:
    found = env_problems({"a b": "hunter2", "C": ["hunter2"], "D": "fine"})
    assert len(found) == 2
    assert "hunter2" not in "".join(found)


def test_what_can_be_set_is_spelled_as_yaml_does() -> None:
    assert spell({"A": True, "B": 1.5, "C": None, "D-": "x"}) == {
        "A": "true",
        "B": "1.5",
        "C": None,
    }


def test_problems_are_told_in_words() -> None:
    assert env_problems({"1A": "x", "B": {1}, "C": "\0", "_d": "", "E9": None}) == [
        "'1A' can't be the name of a variable; "
        "letters, digits and underscores are allowed, not beginning with a digit",
        "B is a set; text, a number or true/false is needed",
        "C holds a NUL character, which no environment can hold",
    ]
    assert env_problems({"A": b"x"}) == ["A is a bytes; text, a number or true/false is needed"]


def test_scalars_are_spelled_on_one_line() -> None:
    day = datetime.date(2024, 1, 31)
    assert [scalar_text(one) for one in (True, 1.5, 7, day)] == ["true", "1.5", "7", "2024-01-31"]
    long = ("word " * 100).strip()
    assert scalar_text(long) == long
    assert "\n" not in scalar_text([long, long])


def test_only_env_is_spelled_and_null_is_left_out() -> None:
    mapping = {"a": True, "env": {"B": True, "C": None, "D": [1], "E": 2, "F": 1.5, "G": "x"}}
    assert spelled_env(mapping) == {
        "a": True,
        "env": {"B": "true", "D": [1], "E": "2", "F": "1.5", "G": "x"},
    }
    assert spelled_env({"env": "x"}) == {"env": "x"}
    assert spelled_env({}) == {}
