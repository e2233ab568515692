"""Records that were stored before a change of the models are still the same after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from vr.server.models import Release

pytestmark = pytest.mark.django_db(transaction=True)


def migrated(name: str) -> Any:
    """The models as they are after the migration `name`, or the newest."""
    executor = MigrationExecutor(connection)
    newest = [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] == "server"]
    return executor.migrate([("server", name)] if name else newest).apps


@pytest.fixture(autouse=True)
def newest_in_the_end() -> Iterator[None]:
    yield
    migrated("")


def test_volumes_of_releases_survive_and_are_encrypted() -> None:
    then = migrated("0002_app_framework")
    app = then.get_model("server", "App").objects.create(name="shop", repo_url="/srv/shop")
    build = then.get_model("server", "Build").objects.create(app=app, tag="v1", hash="abc")
    releases = then.get_model("server", "Release").objects
    releases.create(build=build, volumes=[["/srv/ä", "/data"]], mem_limit="64M")
    releases.create(build=build)

    migrated("")

    bare, mounted = Release.objects.order_by("-id")
    assert mounted.volumes == [["/srv/ä", "/data"]]
    assert mounted.mem_limit == "64M"
    assert bare.volumes == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT volumes_yaml FROM server_release ORDER BY id LIMIT 1")
        assert "data" not in cursor.fetchone()[0]

    former = migrated("0002_app_framework").get_model("server", "Release")
    assert former.objects.order_by("id").first().volumes == [["/srv/ä", "/data"]]
