"""What a DEA is told."""

from __future__ import annotations

from typing import Any

import pytest

from vr.dea.messages import parse_filter, parse_start
from vr.errors import InvalidInput


def start(**changes: Any) -> dict[str, Any]:
    return {"droplet": 7, "sha1": "a" * 40, "executableUri": "http://x/y", **changes}


def test_limits_have_the_documented_defaults() -> None:
    limits = parse_start(start()).limits
    assert (limits.mem, limits.disk, limits.fds) == (512, 256, 1024)


def test_all_problems_are_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_start({"sha1": "x", "limits": {"fds": 0}, "env": ["a b=c"], "index": "0"})
    keys = {problem.split(":")[0] for problem in caught.value.problems}
    assert keys == {"droplet", "sha1", "executableUri", "limits.fds", "env", "index"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, True),
        ({"version": 1}, True),
        ({"version": "2"}, False),
        ({"instances": ["i"]}, True),
        ({"instance_ids": ["j"]}, False),
        ({"indices": [0, 1]}, True),
        ({"indices": []}, False),
        ({"states": ["CRASHED"]}, False),
        ({"states": ["RUNNING"], "indices": [0]}, True),
    ],
)
def test_filters(wanted: dict[str, Any], expected: bool) -> None:
    found = parse_filter({"droplet": 7, **wanted})
    assert found.matches("7", "1", "i", 0, "RUNNING") is expected
    assert not found.matches("8", "1", "i", 0, "RUNNING")


@pytest.mark.parametrize("document", [{}, {"droplet": 7, "instances": "all"}])
def test_a_filter_that_is_not_understood_stops_nothing(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_filter(document)
