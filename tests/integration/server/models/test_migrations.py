"""Records that were stored before a change of the models are still the same after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from vr.server.models import Release, Swarm

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


def test_of_swarms_with_one_pool_the_one_that_is_routed_there_keeps_it() -> None:
    then = migrated("0007_builder_repositories")
    app = then.get_model("server", "App").objects.create(name="shop", repo_url="/srv/shop")
    squad = then.get_model("server", "Squad").objects.create(name="local")
    swarms = then.get_model("server", "Swarm").objects
    usual = {"app": app, "squad": squad, "tag": "v1", "proc_name": "web", "balancer": "nginx"}
    first, served, free = (
        swarms.create(config_name=name, pool=pool, routed_pools=[["nginx", pool]], **usual)
        for name, pool in (("first", "shop"), ("served", "Shop"), ("free", "store"))
    )
    then.get_model("server", "Dispatch").objects.create(
        swarm=served, tag="v1", size=1, status="succeeded"
    )

    migrated("")

    found = {swarm.pk: swarm for swarm in Swarm.objects.all()}
    assert (found[served.pk].pool, found[free.pk].pool) == ("Shop", "store")
    assert found[first.pk].pool == f"shop-{first.pk}"
    assert found[first.pk].routed_pools == []
