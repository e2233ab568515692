"""Patterns in searches, on both databases: answered whatever the pattern, or refused."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from support.web_server import web_server

# Each a more doubles the steps of a matcher that tracks back.
ALMOST = "a" * 48 + "b"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def http(
    request: pytest.FixtureRequest, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    environment = {}
    if request.param == "postgres":
        environment["VR_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    with web_server(tmp_path_factory.mktemp("web"), redis_url, environment) as server:
        server.python(
            "from django.contrib.auth.models import User\n"
            "ApiToken.issue(User.objects.create_user('rex'), 'test', 'test-token')\n"
            f"for name in ('shop', 'Blog1', '{ALMOST}'):\n"
            "    App.objects.create(name=name, repo_url='/srv/x')\n"
        )
        headers = {"Authorization": "Bearer test-token"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
            yield client


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("^(a+)+$", []),
        ("^(a|aa)+$", []),
        ("^(a+)+b$", [ALMOST]),
        ("^sh", ["shop"]),
        ("(?i)^b.*[0-9]$", ["Blog1"]),
    ],
)
def test_a_pattern_is_answered(http: httpx.Client, pattern: str, names: list[str]) -> None:
    answer = http.get("/api/v1/apps/", params={"name__regex": pattern})
    assert answer.status_code == 200, answer.text
    assert [app["name"] for app in answer.json()["objects"]] == names


@pytest.mark.parametrize(
    "pattern",
    ["(", r"(a)\1", "(?=a)a", "(?<!a)b", "((a{1,255}){1,255}){1,255}", "a" * 201, "a{1000}{9}"],
)
def test_a_pattern_that_has_to_track_back_is_refused(http: httpx.Client, pattern: str) -> None:
    refused = http.get("/api/v1/apps/", params={"name__regex": pattern})
    assert refused.status_code == 400
    assert refused.json()["problems"][0].startswith("name__regex: ")


@pytest.mark.parametrize("pattern", ["(?P<n>s)hop", "s{0,999}"])
def test_what_only_one_of_the_databases_knows_is_answered_or_refused(
    http: httpx.Client, pattern: str
) -> None:
    answer = http.get("/api/v1/apps/", params={"name__regex": pattern})
    assert answer.status_code in {200, 400}
    if answer.status_code == 400:
        assert "database refuses" in answer.json()["problems"][0]
