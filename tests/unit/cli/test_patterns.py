"""Choosing swarms and procs by pattern."""

from __future__ import annotations

from typing import Any

import pytest

from vr.cli import patterns
from vr.errors import VelociraptorError

NAMES = ["shop-prod-web", "shop-prod-web2", "shop-prod-worker", "shop-test-web", "blog-prod-web"]


def swarms(pattern: str, exclude: str = "") -> list[str]:
    documents: Any = [{"name": name} for name in NAMES]
    return [one["name"] for one in patterns.swarms(documents, pattern, exclude)]


@pytest.mark.parametrize(
    ("pattern", "exclude", "expected"),
    [
        ("shop-prod", "", ["shop-prod-web", "shop-prod-web2", "shop-prod-worker"]),
        ("shop-prod-web", "", ["shop-prod-web"]),
        (".*-web", "", ["blog-prod-web", "shop-prod-web", "shop-prod-web2", "shop-test-web"]),
        ("shop", "WEB", ["shop-prod-worker"]),
        ("(blog|shop-test)-", "", ["blog-prod-web", "shop-test-web"]),
    ],
)
def test_a_pattern_is_matched_at_the_start(pattern: str, exclude: str, expected: list[str]) -> None:
    assert swarms(pattern, exclude) == expected


@pytest.mark.parametrize("pattern", ["prod", "Shop", "shop-prod-web-"])
def test_what_matches_nothing_lists_what_exists(pattern: str) -> None:
    with pytest.raises(VelociraptorError) as caught:
        swarms(pattern)
    assert pattern in caught.value.message
    assert "blog-prod-web, shop-prod-web" in caught.value.hint


def test_without_any_swarm_it_says_how_to_make_one() -> None:
    with pytest.raises(VelociraptorError) as caught:
        patterns.swarms([], "shop")
    assert "vr swarms add" in caught.value.hint


def proc(name: str, version: str, config: str, proc_name: str) -> Any:
    return {
        "name": name,
        "app_name": name.split("-")[0],
        "version": version,
        "config_name": config,
        "proc_name": proc_name,
    }


PROCS = [
    proc("shop-v1-prod-aa-web-5000", "v1", "prod", "web"),
    proc("shop-v1-prod-aa-web-5001", "v1", "prod", "web"),
    proc("redis", "UNKNOWN", "UNKNOWN", "redis"),
]


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("shop-prod-web", 2), ("shop-v1", 2), ("shop-v1-prod-aa-web-5000", 1), ("redis", 1)],
)
def test_procs_go_by_their_own_name_or_their_swarms(pattern: str, count: int) -> None:
    assert len(patterns.procs(PROCS, pattern)) == count


def test_procs_go_by_the_name_that_their_swarm_has_now() -> None:
    renamed = [{**PROCS[0], "swarm": "shop-live-web"}, PROCS[2]]
    assert patterns.procs(renamed, "shop-live-web") == renamed[:1]
    assert patterns.procs(renamed, "shop-v1-prod") == renamed[:1]


def test_a_pattern_that_is_none_says_so() -> None:
    with pytest.raises(VelociraptorError, match="no regular expression"):
        swarms("(")
