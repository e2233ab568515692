"""What people do on pages reaches the dispatching that the API uses too."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from support.demo import info
from vr.events.procs import ProcBoard
from vr.server.models import (
    App,
    Build,
    Dispatch,
    Host,
    Release,
    Squad,
    Swarm,
)
from vr.server.web.views import procs


@pytest.fixture
def swarm(web: Client, woken: list[str]) -> Swarm:
    squad = Squad.objects.create(name="local")
    Host.objects.create(name="testhost", squad=squad)
    return Swarm.objects.create(
        app=App.objects.create(name="shop", repo_url="/srv/shop"),
        tag="v1",
        proc_name="web",
        config_name="prod",
        squad=squad,
    )


def messages(client: Client, path: str) -> str:
    return client.get(path).content.decode().partition('class="messages"')[2].partition("</div>")[0]


def test_swarming_a_version(web: Client, swarm: Swarm) -> None:
    web.post(f"/swarm/{swarm.pk}/dispatch/", {"tag": "v2"})

    dispatch = Dispatch.objects.get()
    assert (dispatch.tag, dispatch.user and dispatch.user.get_username()) == ("v2", "rex")


def test_a_version_that_cannot_be_is_refused_with_a_sentence(web: Client, swarm: Swarm) -> None:
    response = web.post(f"/swarm/{swarm.pk}/dispatch/", {"tag": "feature/x"})

    assert "file name" in messages(web, response["Location"])
    assert not Dispatch.objects.exists()


def test_a_second_swarm_at_once_is_refused_with_a_sentence(web: Client, swarm: Swarm) -> None:
    web.post(f"/swarm/{swarm.pk}/dispatch/", {"tag": "v2"})
    web.post(f"/swarm/{swarm.pk}/dispatch/", {"tag": "v3"})

    assert "is being dispatched to v2 already" in messages(web, f"/swarm/{swarm.pk}/")
    assert Dispatch.objects.count() == 1


def test_scaling(web: Client, swarm: Swarm) -> None:
    web.post(f"/swarm/{swarm.pk}/scale/", {"size": "-1"})
    assert "greater than or equal to 0" in messages(web, f"/swarm/{swarm.pk}/")

    web.post(f"/swarm/{swarm.pk}/scale/", {"size": "3"})
    assert Dispatch.objects.get().size == 3


def test_rolling_back_is_offered_once_there_is_something_to_go_back_to(
    web: Client, swarm: Swarm
) -> None:
    assert "Roll back" not in web.get(f"/swarm/{swarm.pk}/").content.decode()
    old, new = (
        Release.objects.create(
            build=Build.objects.create(app=swarm.app, tag=tag, status="success"), hash=tag * 4
        )
        for tag in ("v1", "v2")
    )
    for release in (old, new):
        Dispatch.objects.create(
            swarm=swarm, tag=release.build.tag, size=1, status="succeeded", release=release
        )
    Swarm.objects.update(release=new)
    assert old.compiled_name in web.get(f"/swarm/{swarm.pk}/").content.decode()

    web.post(f"/swarm/{swarm.pk}/rollback/")

    assert Dispatch.objects.latest("id").release == old


@pytest.mark.parametrize("action", ["dispatch", "scale", "rollback"])
def test_nothing_is_changed_by_a_get(web: Client, swarm: Swarm, action: str) -> None:
    assert web.get(f"/swarm/{swarm.pk}/{action}/").status_code == 405


def test_a_post_without_its_token_is_refused(swarm: Swarm, user: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    assert strict.post(f"/swarm/{swarm.pk}/dispatch/", {"tag": "v2"}).status_code == 403
    assert not Dispatch.objects.exists()


def test_building_a_tag(web: Client, swarm: Swarm) -> None:
    response = web.post("/build/", {"app": swarm.app_id, "tag": "v9"})

    build = Build.objects.get()
    assert response["Location"] == f"/build/{build.pk}/"
    assert (build.tag, build.status) == ("v9", "pending")


def test_a_tag_that_cannot_be_built_is_refused_at_its_field(web: Client, swarm: Swarm) -> None:
    response = web.post("/build/", {"app": swarm.app_id, "tag": "a/b"})

    assert response.status_code == 422
    assert "file name" in response.content.decode().partition('id="field-tag"')[2]
    assert not Build.objects.exists()


def test_deleting_a_swarm_asks_first(web: Client, swarm: Swarm) -> None:
    assert (
        "Delete the swarm shop-prod-web?" in web.get(f"/swarm/{swarm.pk}/delete/").content.decode()
    )
    assert Swarm.objects.exists()

    web.post(f"/swarm/{swarm.pk}/delete/")
    assert not Swarm.objects.exists()


def test_a_swarm_whose_procs_run_is_kept(web: Client, swarm: Swarm, redis: Any) -> None:
    ProcBoard(redis).replace("testhost", [info("shop-v1-prod-abc-web-5000", "RUNNING", pid=7)])

    response = web.post(f"/swarm/{swarm.pk}/delete/")

    assert response.status_code == 409
    assert "scale it to 0 first" in response.content.decode()
    assert Swarm.objects.exists()


@pytest.mark.parametrize("action", ["start", "stop", "restart", "delete"])
def test_actions_on_a_proc_reach_its_host(
    web: Client, swarm: Swarm, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    asked: list[tuple[str, str, str, str]] = []

    def proc_action(host: Host, proc: str, action: str, *, user: Any) -> None:
        asked.append((host.name, proc, action, user.get_username()))

    monkeypatch.setattr(procs, "proc_action", proc_action)

    web.post(f"/proc/testhost/shop-v1-prod-abc-web-5000/{action}/")

    assert asked == [("testhost", "shop-v1-prod-abc-web-5000", action, "rex")]


def test_procs_know_no_other_action(web: Client, swarm: Swarm) -> None:
    assert web.post("/proc/testhost/shop-v1-prod-abc-web-5000/explode/").status_code == 404
