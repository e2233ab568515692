"""Searching lists: allowed keys find, unknown ones are ignored, impossible ones refused."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def swarms(fleet: Any) -> Any:
    fleet.add("apps", name="blog", repo_url="/srv/blog")
    for app, config, proc in (("shop", "prod", "worker"), ("blog", "test", "web")):
        fleet.add(
            "swarms", app=app, squad="local", version="v1", config_name=config, proc_name=proc
        )
    return fleet


def found(api: Any, query: str) -> list[str]:
    answer = api.get(f"swarms/?{query}")
    assert answer.status_code == 200, answer.content
    return [one["name"] for one in answer.json()["objects"]]


ALL = ["blog-test-web", "shop-prod-web", "shop-prod-worker"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ALL),
        ("app__name=shop", ALL[1:]),
        ("app__name=shop&proc_name=web", ["shop-prod-web"]),
        ("app__name=", ALL),
        # A relation itself is compared by id.
        ("app=blog", None),
        ("app__name__istartswith=x", None),
        ("proc_name__in=worker,cron", ["shop-prod-worker"]),
        ("config_name__regex=^t", ["blog-test-web"]),
        ("squad__hosts__name=testhost", ALL),
        ("squad__hosts__name=moon", []),
        ("squad__hosts__active=true", ALL),
        ("pool=", ALL),
        ("nonsense=1&format=json&order_by=size", ALL),
        ("size=1", None),
        ("app__repo_url=x", None),
        ("config_name__regex=(", None),
        ("app__id=x", None),
        ("app__id__in=1,x", None),
        ("squad__hosts__active=perhaps", None),
        ("app__id=99999999999999999999", None),
        ("app__id__lt=99999999999999999999", None),
        ("app__id__in=99999999999999999999", None),
        ("proc_name=a%00b", None),
    ],
)
def test_searching_swarms(swarms: Any, query: str, expected: list[str] | None) -> None:
    if expected is None:
        refused = swarms.get(f"swarms/?{query}")
        assert refused.status_code == 400
        assert query.partition("=")[0] in refused.json()["problems"][0]
    else:
        assert found(swarms, query) == expected


def test_times_are_compared_in_utc(fleet: Any) -> None:
    total = fleet.get("logs/").json()["meta"]["total_count"]
    for query, expected in (
        ("time__gt=2001-01-01", total),
        ("time__lt=2001-01-01T00:00:00", 0),
        ("time__range=2001-01-01,2999-01-01", total),
    ):
        assert fleet.get(f"logs/?{query}").json()["meta"]["total_count"] == expected
    assert fleet.get("logs/?time__gt=yesterday").status_code == 400
