"""What tests of the server share: a Redis of their own, a user, tasks that are only noted; and a
machine for swarms, with supervisord, nginx and builds that are ready to run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management.color import no_style
from django.db import connection

from support.api_client import Api
from support.images import test_image
from support.nginx_server import Nginx, nginx_server
from support.ports import port_range
from support.postgres_server import postgres_server
from support.redis_server import redis_server
from support.supervisord import supervisord
from support.swarm_machine import HOST, Machine
from vr.files.checksums import file_md5
from vr.hosts import deployment
from vr.server.balancers import balancer_named
from vr.server.events.announcing import redis_connection
from vr.server.hosts import connect
from vr.server.models import ApiToken, DispatchStatus, Swarm


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

    def send(task: str, *args: Any, **_: Any) -> None:
        sent.append(task.rpartition(".")[2])

    monkeypatch.setattr(wake, "now", send)
    return sent


@pytest.fixture
def ids_from_one(db: None) -> None:
    """The first record of each kind gets the id 1, whatever tests before this one committed."""
    tables = connection.introspection.sequence_list()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_by_name_sql(no_style(), tables):
            cursor.execute(statement)


@pytest.fixture
def user(db: None, settings: Any) -> User:
    # A hash that is meant to take long takes long in every test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_user("rex", password="rawr: yes")


@pytest.fixture(scope="session")
def services() -> Iterator[tuple[Path, Nginx, str]]:
    """A root, an nginx and a supervisord (its URL) that the tests of a session share."""
    # Not pytest's folder: overlayfs needs short paths without ':' and a real disk.
    folder = Path(tempfile.mkdtemp(prefix="vr-swarming-", dir="/var/tmp"))
    folder.chmod(0o711)
    root = folder / "apps"
    (root / "procs").mkdir(parents=True)
    try:
        with (
            nginx_server(folder / "nginx") as nginx,
            supervisord(folder / "supervisor", f"{root}/procs/*/proc.conf") as url,
        ):
            yield root, nginx, url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def image_md5() -> str:
    return file_md5(test_image())


@pytest.fixture
def machine(
    transactional_db: None,
    redis: Any,
    woken: list[str],
    services: tuple[Path, Nginx, str],
    image_md5: str,
    settings: Any,
) -> Iterator[Machine]:
    """The machine, without procs and pools before and after."""
    root, nginx, url = services
    settings.VR_ROOT = root
    settings.FILES_ROOT = root.parent / "files"
    settings.SUPERVISOR_URL = url
    settings.LOCAL_HOST = HOST
    settings.PORT_RANGE = port_range(100)
    settings.START_SECONDS = 20
    settings.SETTLE_SECONDS = 0
    settings.BALANCERS = {
        "nginx": {"BACKEND": "vr.balancer.nginx.NginxBalancer", **nginx.config},
        "other": {"BACKEND": "vr.balancer.dummy.DummyBalancer"},
    }
    balancer_named.cache_clear()
    found = Machine.make(nginx, url, root, image_md5)
    yield found
    deployment.retire(connect(HOST), {*found.procs(), *found.folders()})
    for pool in nginx.folder.glob("pools/*.conf"):
        balancer_named("nginx").delete_pool(pool.stem)
    balancer_named.cache_clear()


@pytest.fixture
def served(machine: Machine) -> Swarm:
    """A swarm of two procs whose v1 is routed."""
    machine.build("v1")
    swarm = machine.swarm()
    dispatch = machine.dispatch(swarm)
    assert dispatch.status == DispatchStatus.SUCCEEDED, dispatch.error
    return swarm


@pytest.fixture
def api(user: User, redis: Any, woken: list[str]) -> Api:
    return Api(ApiToken.issue(user, "test"))
