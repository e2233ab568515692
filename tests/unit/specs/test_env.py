"""Environments: which names and values are refused, and how values are spelled."""

from __future__ import annotations

from typing import Any

import pytest

from vr.specs.env import env_problems, spell


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
