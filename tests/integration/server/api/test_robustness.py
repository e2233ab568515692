"""Whatever is sent, the answer is a sentence and never a bug."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vr.server.resources import TABLE

WRITABLE = [resource for resource in TABLE if not resource.read_only]
ODD: list[Any] = [
    *(
        None,
        True,
        -1,
        0,
        1.5,
        2**31,
        2**70,
        "",
        " ",
        "x" * 5000,
        "\0",
        "\ud800",
        "é",
        "%2F",
        "..",
        "1",
    ),
    *(
        [],
        [None],
        [[]],
        [{}],
        [1],
        ["x"],
        {},
        {"resource_uri": []},
        {"resource_uri": "x"},
        {"a": 2**40},
    ),
    *(
        "/api/v1/apps/",
        "/api/v1/squads/nothing/",
        "http://[",
        "//x",
        "- a",
        "{",
        "a: !!python/none x",
    ),
    *({"1": {"2": [3]}}, [["/a", "/b", "/c"]], [["/a", 1]], "2001-01-01", ": :", "&a [*a]"),
]


@pytest.mark.parametrize("resource", WRITABLE, ids=lambda one: one.name)
def test_odd_values_are_taken_or_refused_with_a_sentence(fleet: Any, resource: Any) -> None:
    for field in resource.fields:
        if not field.writable:
            continue
        for value in ODD:
            body = json.dumps({field.name: value})
            for answer in (
                fleet.post(f"{resource.name}/", body),
                fleet.patch(f"{resource.name}/1/", body),
            ):
                assert answer.status_code < 500, (field.name, value, answer.content)
                if answer.status_code == 400:
                    assert answer.json()["problems"]
            fleet_wide = fleet.get(f"{resource.name}/")
            assert fleet_wide.status_code == 200, (field.name, value, fleet_wide.content)


@pytest.mark.parametrize("resource", TABLE, ids=lambda one: one.name)
@pytest.mark.parametrize("lookup", ["", "__in", "__range", "__regex", "__isnull", "__gt", "__x"])
def test_odd_searches_find_nothing_or_are_refused(fleet: Any, resource: Any, lookup: str) -> None:
    for key in [*resource.filters, "id", "nonsense"]:
        for value in ("", "x", "1", "1,2", "true", "none", "99999999999999999999", "2001-01-01"):
            answer = fleet.get(f"{resource.name}/", {f"{key}{lookup}": value})
            assert answer.status_code in {200, 400}, (key, lookup, value, answer.content)


@pytest.mark.parametrize(
    "key", ["%00", "%ff", "-1", "9" * 30, "..", "a%2Fb", "1e3", "١", "%E2%80%AE"]
)
def test_odd_keys_are_not_found(fleet: Any, key: str) -> None:
    for resource in TABLE:
        assert fleet.get(f"{resource.name}/{key}/").status_code == 404
