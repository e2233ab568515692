"""Volumes beyond VR_VOLUME_ROOTS are for admins, whatever the door."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from vr.errors import InvalidInput
from vr.server.models import App, Build, Host, Release, Squad, Swarm
from vr.server.swarming import asking
from vr.server.swarming.manual import deploy_release

BEYOND = "- [/home/alice, /data]"
GOOD = {"tag": "v1", "config_name": "prod", "proc_name": "web", "size": "1", "run_as": "nobody"}


@pytest.fixture
def rows(user: User) -> dict[str, Any]:
    app = App.objects.create(name="shop", repo_url="/srv/shop")
    squad = Squad.objects.create(name="local")
    Host.objects.create(name="here", squad=squad)
    return {"app": app.pk, "squad": squad.pk}


@pytest.fixture
def saved(rows: dict[str, Any]) -> Swarm:
    """A swarm from before the rule."""
    related = {"app_id": rows["app"], "squad_id": rows["squad"]}
    return Swarm.objects.create(**{**GOOD, **related, "size": 1, "volumes_yaml": BEYOND})


def through_the_api(user: User, client: Client, rows: dict[str, Any], volumes: str) -> str:
    client.force_login(user)
    body = {key: value for key, value in GOOD.items() if key != "tag"}
    body |= {"app": "shop", "squad": "local", "version": "v1", "volumes": volumes}
    body["size"] = 1  # type: ignore[assignment]
    return client.post("/api/v1/swarms/", body, "application/json").content.decode()


def through_the_form(user: User, client: Client, rows: dict[str, Any], volumes: str) -> str:
    client.force_login(user)
    page = client.post("/swarm/", {**rows, **GOOD, "save": "1", "volumes_yaml": volumes})
    return page.content.decode()


def through_the_admin(user: User, client: Client, rows: dict[str, Any], volumes: str) -> str:
    User.objects.update(is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)
    where = "/admin/server/swarm/add/"
    sent = {**rows, **GOOD, "volumes_yaml": volumes, "check_path": "/"}
    return client.post(where, sent, follow=True).content.decode()


DOORS = [through_the_api, through_the_form, through_the_admin]


@pytest.mark.parametrize("door", DOORS)
def test_only_admins_save_volumes_beyond_the_roots(
    door: Any, user: User, client: Client, rows: dict[str, Any]
) -> None:
    refused = door(user, client, rows, BEYOND)
    assert "VR_VOLUME_ROOTS" in refused and "/home/alice" in refused
    assert not Swarm.objects.exists()

    User.objects.update(is_superuser=True)
    door(user, client, rows, BEYOND)
    assert Swarm.objects.get().volumes == [["/home/alice", "/data"]]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("folder", ["/srv", "/srv/shop/data", "//srv/./x"])
def test_everybody_may_use_what_lies_in_the_roots(
    door: Any, folder: str, user: User, client: Client, rows: dict[str, Any]
) -> None:
    door(user, client, rows, f"- [{folder}, /data]")
    assert Swarm.objects.exists()


@pytest.mark.parametrize("folder", ["/srvx", "/opt/srv", "/srv/../home"])
def test_what_only_looks_like_a_root_is_none(
    folder: str, user: User, client: Client, rows: dict[str, Any]
) -> None:
    through_the_api(user, client, rows, f"- [{folder}, /data]")
    assert not Swarm.objects.exists()


def test_a_swarm_that_was_saved_before_is_told_so_when_it_is_deployed(
    user: User, saved: Swarm, woken: list[str]
) -> None:
    with pytest.raises(InvalidInput, match="VR_VOLUME_ROOTS"):
        asking.dispatch(saved, user=user)
    with pytest.raises(InvalidInput, match="VR_VOLUME_ROOTS"):
        asking.scale(saved, 2, user=user)
    asking.dispatch(saved, user=user, size=0)  # what runs can always be taken down
    saved.dispatches.update(status="succeeded")

    user.is_superuser = True
    asking.dispatch(saved, user=user, size=1)


def test_a_release_with_such_volumes_is_deployed_by_admins_only(
    user: User, rows: dict[str, Any], woken: list[str]
) -> None:
    types = {"web": "true"}
    build = Build.objects.create(
        app_id=rows["app"], tag="v1", status="success", file="x", process_types=types
    )
    release = Release.objects.create(build=build, hash="1a2b3c4d", volumes_yaml=BEYOND)

    def deploy() -> None:
        deploy_release(
            release, host=Host.objects.get(), port=0, proc="web", config_name="prod", user=user
        )

    with pytest.raises(InvalidInput, match="VR_VOLUME_ROOTS"):
        deploy()
    user.is_superuser = True
    deploy()
