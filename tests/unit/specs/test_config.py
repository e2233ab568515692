"""Config: what can't be carried to a host, and a pilot that can't be read."""

from __future__ import annotations

import datetime

import pytest

from vr.specs.config import config_problems, plain_problems


def test_plain_config_is_fine() -> None:
    assert config_problems({"a": [1, {"b": None}], "pilot": True, "c": 1.5}) == []


def test_all_that_xml_rpc_cannot_carry_is_named_with_its_path() -> None:
    found = " ".join(config_problems({"deep": {"day": datetime.date(2024, 1, 1)}, 1: [2**31]}))
    assert "deep.day: is a date" in found
    assert "key 1 is not text" in found


@pytest.mark.parametrize("pilot", [5, [1]])
def test_a_pilot_is_a_switch_a_path_or_a_mapping(pilot: object) -> None:
    (problem,) = config_problems({"pilot": pilot})
    assert problem.startswith("pilot: is a")


def test_each_problem_is_told_with_the_whole_path() -> None:
    config = {
        "least": -(2**31),
        "most": 2**31 - 1,
        "low": -(2**31) - 1,
        "deep": {"list": [0, {"high": 2**31}], 5: "x"},
        "raw": b"x",
        True: 1,
    }
    assert plain_problems(config) == [
        "low: int exceeds XML-RPC limits; quote it to make it text",
        "deep.list[1].high: int exceeds XML-RPC limits; quote it to make it text",
        "key 5 in deep is not text; quote it",
        "raw: is a bytes; quote it to make it text",
        "key True is not text (so YAML reads yes, no, on, off); quote it",
    ]


def test_a_pilot_of_another_kind_is_told_by_its_kind() -> None:
    told = "true, the path of a file or a mapping is expected"
    for pilot, kind in ((5, "number"), (1.5, "number"), ([1], "list")):
        assert config_problems({"pilot": pilot}) == [f"pilot: is a {kind}; {told}"]
    for pilot in (None, False, "x.json", {"a": 1}):
        assert config_problems({"pilot": pilot}) == []
