"""Where programs ask, every refusal is a document, whoever it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path

from vr.server.models import ApiToken
from vr.server.urls import urlpatterns as ours

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def fails(request: HttpRequest) -> HttpResponse:
    raise KeyError("a bug")


def is_away(request: HttpRequest) -> HttpResponse:
    raise OperationalError("database is locked")


urlpatterns = [
    path("api/streams/fails/", fails),
    path("api/streams/away/", is_away),
    *ours,
]


def routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    """An address of every route, with something for its parameters."""
    for pattern in patterns:
        route = before + str(pattern.pattern).removeprefix("^").removesuffix(r"\Z")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield "/" + re.sub("<[^>]*>", "1", route)


ADDRESSES = sorted(
    {one for one in routes(get_resolver().url_patterns) if one.startswith(("/api/", "/files/"))}
    | {"/api/", "/api/v2/", "/api/streams/none/", "/files/one", "/api/v1/apps/%00/", "/files/a/b/c"}
)


def refused(answer: Any, where: str) -> int:
    """The status, 0 for an answer that is no refusal; fails if the refusal is no document."""
    if answer.status_code < 400:
        return 0
    assert answer["Content-Type"] == "application/json", where
    found = answer.json()
    assert found["error"] and found["problems"] is not None, where
    assert found["status"] == answer.status_code, where
    return int(answer.status_code)


def test_every_address_refuses_in_json(user: User, redis: Any, woken: list[str]) -> None:
    assert len(ADDRESSES) > 40
    known = {"Authorization": f"Bearer {ApiToken.issue(user, 'test')}"}
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    seen = set()
    for address in ADDRESSES:
        for method in METHODS:
            # They give back the database's connection, which is the test's here: test_streams.py
            # has a server for them.
            if method == "GET" and address.startswith("/api/streams/"):
                continue
            for headers in ({}, known, {"Host": "bad host"}):
                answer = client.generic(method, address, headers=headers)
                if method == "HEAD" or answer.streaming:
                    continue
                where = f"{method} {address} {headers}"
                status = refused(answer, where)
                assert status < 500, where
                assert status != 405 or answer["Allow"], where
                seen.add(status)
    assert seen >= {400, 401, 403, 404, 405}


@pytest.mark.parametrize(("name", "status"), [("fails", 500), ("away", 503)])
def test_bugs_and_outages_are_documents_too(
    settings: Any, db: None, name: str, status: int
) -> None:
    settings.ROOT_URLCONF = __name__
    client = Client(raise_request_exception=False)
    assert refused(client.get(f"/api/streams/{name}/"), name) == status


def test_too_many_fields_are_not_called_a_bug(api: Any, user: User) -> None:
    token = {"Authorization": f"Bearer {ApiToken.issue(user, 'form')}"}
    fields = {f"f{number}": "1" for number in range(2000)}
    many = "&".join(f"field{number}=1" for number in range(2000))
    for answer in (
        api.get(f"apps/?{many}"),
        Client(headers=token).post("/api/v1/builds/upload/", fields),
    ):
        assert refused(answer, "many") == 400
        assert "too many fields" in answer.json()["error"]


def test_pages_stay_pages(client: Client, db: None) -> None:
    assert client.get("/nowhere/")["Content-Type"].startswith("text/html")
