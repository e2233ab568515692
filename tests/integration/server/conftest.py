"""What tests of the server share: a Redis of their own, a user, and tasks that are only noted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User

from support.api_client import Api
from support.postgres_server import postgres_server
from support.redis_server import redis_server
from vr.server.events.announcing import redis_connection
from vr.server.models import ApiToken


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    """A fresh PostgreSQL cluster: the address of its first database."""
    # Not pytest's folder, which another session closes to PostgreSQL's account.
    with (
        tempfile.TemporaryDirectory(prefix="vr-postgres-") as folder,
        postgres_server(Path(folder)) as url,
    ):
        yield url


@pytest.fixture(scope="module")
def postgres_url(postgres_cluster: str, request: pytest.FixtureRequest) -> str:
    """An empty PostgreSQL database for the tests of a file."""
    name = request.module.__name__.replace(".", "_").lower()[-63:]
    with psycopg.connect(postgres_cluster, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return postgres_cluster.replace("/postgres?", f"/{name}?")


@pytest.fixture
def redis(redis_url: str, settings: Any) -> Iterator[Any]:
    """The server's connection to an empty Redis."""
    settings.REDIS_URL = redis_url
    redis_connection.cache_clear()
    connection = redis_connection()
    connection.flushall()
    yield connection
    connection.close()
    redis_connection.cache_clear()


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tasks that would have been sent to workers; none are."""
    from vr.server.jobs import wake

    sent: list[str] = []

    def send(task: Any, *args: Any, **_: Any) -> None:
        sent.append(task.name.rpartition(".")[2])

    monkeypatch.setattr(wake, "now", send)
    return sent


@pytest.fixture
def user(db: None, settings: Any) -> User:
    # A hash that is meant to take long takes long in every test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_user("rex", password="rawr: yes")


@pytest.fixture
def api(user: User, redis: Any, woken: list[str]) -> Api:
    return Api(ApiToken.issue(user, "test"))
