"""Config: what can't be carried to a host, and a pilot that can't be read."""

from __future__ import annotations

import datetime

import pytest

from vr.specs.config import config_problems


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
