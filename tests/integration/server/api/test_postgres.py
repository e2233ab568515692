"""The API on PostgreSQL, as a fleet runs it: the same answers, and rows that are locked."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest

from support.web_server import WebServer, web_server


@pytest.fixture(scope="module")
def web(
    redis_url: str, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebServer]:
    environment = {"VR_DATABASE_URL": postgres_url}
    with web_server(tmp_path_factory.mktemp("web"), redis_url, environment) as server:
        server.python(
            "from django.contrib.auth.models import User\n"
            "ApiToken.issue(User.objects.create_user('rex'), 'test', 'test-token')\n"
        )
        yield server


@pytest.fixture
def http(web: WebServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer test-token"}
    with httpx.Client(base_url=web.url, headers=headers, timeout=30) as client:
        yield client


def test_a_swarm_is_made_found_changed_and_dispatched_once(http: httpx.Client) -> None:
    for resource, data in (
        ("squads", {"name": "local"}),
        ("hosts", {"name": "testhost", "squad": "local"}),
        ("apps", {"name": "shop", "repo_url": "/srv/shop"}),
        (
            "swarms",
            {
                "app": "shop",
                "squad": "local",
                "version": "v1",
                "config_name": "prod",
                "proc_name": "web",
            },
        ),
    ):
        created = http.post(f"/api/v1/{resource}/", json=data)
        assert created.status_code == 201, created.text
    swarm = created.headers["Location"]
    # Two changes at once of different fields: neither is lost.
    changes = [{"size": 4}, {"mem_limit": "64M"}, {"config_yaml": {"a": 1}}, {"run_as": "www"}]
    threads = [
        threading.Thread(target=http.patch, args=(swarm,), kwargs={"json": change})
        for change in changes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = http.get(swarm).json()
    assert (shown["size"], shown["mem_limit"], shown["run_as"]) == (4, "64M", "www")
    assert shown["compiled_config"] == {"a": 1}
    query = {"app__name": "shop", "squad__hosts__name": "testhost", "config_name__regex": "^p"}
    assert http.get("/api/v1/swarms/", params=query).json()["meta"]["total_count"] == 1
    # Many dispatches at once: one is accepted, the others are refused.
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(http.post(f"{swarm}swarm/").status_code))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [202, 409, 409, 409, 409, 409]
    assert http.get("/api/v1/dispatches/").json()["meta"]["total_count"] == 1


@pytest.mark.parametrize(
    "query",
    ["name=a%00b", "name__regex=(", "id__in=99999999999999999999", "id__in=1,x", "name__regex=%5B"],
)
def test_searches_that_the_database_would_refuse_are_a_400(http: httpx.Client, query: str) -> None:
    assert http.get(f"/api/v1/apps/?{query}").status_code == 400
