"""Deleting on PostgreSQL, as a fleet runs it: nothing is left that names what is gone."""

from __future__ import annotations

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


def test_a_record_of_every_kind_can_be_deleted(web: WebServer, http: httpx.Client) -> None:
    web.python(
        "app = App.objects.create(name='a', repo_url='/srv/a')\n"
        "squad = Squad.objects.create(name='s')\n"
        "build = Build.objects.create(app=app, tag='v1')\n"
        "Release.objects.create(build=build)\n"
        "Swarm.objects.create(app=app, squad=squad, tag='v1', config_name='c', proc_name='p')\n"
        "Host.objects.create(name='h', squad=squad)\n"
        "Stack.objects.create(name='k')\n"
        "Buildpack.objects.create(repo_url='/srv/b')\n"
        "Ingredient.objects.create(name='i')\n"
    )
    for kind in (
        *("swarms", "releases", "builds", "apps", "hosts", "squads", "stacks"),
        *("buildpacks", "ingredients"),
    ):
        (record,) = http.get(f"/api/v1/{kind}/").json()["objects"]
        assert http.delete(record["resource_uri"]).status_code == 204, kind


def test_a_lease_that_comes_too_late_finds_no_host(web: WebServer, http: httpx.Client) -> None:
    web.python(
        "from django.db import transaction\n"
        "host = Host.objects.create(name='atlas')\n"
        "transaction.set_autocommit(False)\n"
        "PortLease.objects.create(host=host, port=5000, proc='a-v1-c-x-web-5000')\n"
    )

    assert http.delete("/api/v1/hosts/atlas/").status_code == 204

    outcome = web.python(
        "from django.db import IntegrityError, transaction\n"
        "try:\n"
        "    transaction.commit()\n"
        "except IntegrityError:\n"
        "    print('refused')\n"
        "transaction.rollback()\n"
        "transaction.set_autocommit(True)\n"
    )
    assert outcome == "refused"
    assert web.python("print(PortLease.objects.count(), Host.objects.count())") == "0 0"
