"""What is needed stays, whichever door it is to be deleted through, and each says the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client

from support.demo import info
from vr.events.procs import ProcBoard
from vr.server.answers import InUse
from vr.server.models import (
    App,
    Build,
    Buildpack,
    BuildStatus,
    Dispatch,
    DispatchStatus,
    Host,
    Image,
    Ingredient,
    LogEntry,
    PortLease,
    Release,
    Squad,
    Stack,
    Swarm,
)
from vr.server.records.admin import RecordAdmin

PROC = "shop-v1-prod-abc-web-5000"
_PAGES = {"app", "squad", "host", "stack", "buildpack", "ingredient", "swarm"}
_RESOURCES = {"app", "build", "buildpack", "host", "ingredient", "release", "squad", "stack"}
_RESOURCES |= {"swarm"}


@dataclass
class House:
    """An installation where everything is there once, and nothing is used yet."""

    app: App
    build: Build
    buildpack: Buildpack
    host: Host
    image: Image
    ingredient: Ingredient
    release: Release
    squad: Squad
    stack: Stack
    swarm: Swarm
    user: User
    dispatch: Dispatch

    def leased(self) -> None:
        PortLease.objects.create(host=self.host, port=5000, swarm=self.swarm, proc=PROC)

    def dispatched(self, **what: Any) -> None:
        Dispatch.objects.create(swarm=self.swarm, tag="v2", size=1, **what)

    def runs(self) -> None:
        Swarm.objects.update(release=self.release)


@pytest.fixture
def house(redis: Any, user: User) -> House:
    User.objects.update(is_superuser=True, is_staff=True)
    stack = Stack.objects.create(name="bookworm")
    squad = Squad.objects.create(name="local")
    app = App.objects.create(name="shop", repo_url="/srv/shop")
    build = Build.objects.create(app=app, tag="v1", status=BuildStatus.SUCCESS)
    swarm = Swarm.objects.create(
        app=app, squad=squad, tag="v1", config_name="prod", proc_name="web"
    )
    return House(
        app=app,
        build=build,
        buildpack=Buildpack.objects.create(repo_url="/srv/python"),
        host=Host.objects.create(name="atlas", squad=squad),
        image=Image.objects.create(stack=stack, name="bookworm_1", active=True),
        ingredient=Ingredient.objects.create(name="salt"),
        release=Release.objects.create(build=build),
        squad=squad,
        stack=stack,
        swarm=swarm,
        user=user,
        dispatch=Dispatch.objects.create(
            swarm=swarm, tag="v1", size=1, status=DispatchStatus.SUCCEEDED
        ),
    )


@pytest.fixture
def doors(house: House, api: Any, client: Client) -> dict[str, Callable[[Model], str]]:
    """By name: a function that tries to delete a record, and returns what is said."""
    client.force_login(house.user)

    def through_api(record: Model) -> str:
        answer = api.delete(f"{record._meta.model_name}s/{record.pk}/")
        return "" if answer.status_code == 204 else str(answer.json()["error"])

    def through_page(record: Model) -> str:
        kind = record._meta.model_name
        address = f"/{kind}/{record.name if kind == 'app' else record.pk}/delete/"  # type: ignore[attr-defined]
        asked, answer = client.get(address), client.post(address)
        if answer.status_code == 302:
            return ""
        assert answer.status_code == 409
        # Who asks is told before he tries.
        notices = [one.content.decode().partition('role="alert">')[2] for one in (asked, answer)]
        notice, again = (unescape(one.partition("</p>")[0]) for one in notices)
        assert notice == again
        return notice

    def through_admin(record: Model) -> str:
        address = f"/admin/{record._meta.app_label}/{record._meta.model_name}/{record.pk}/delete/"
        answer = client.post(address, {"post": "yes"})
        return "" if answer.status_code == 302 else unescape(answer.content.decode())

    def through_admin_in_bulk(record: Model) -> str:
        address = f"/admin/{record._meta.app_label}/{record._meta.model_name}/"
        asked = {"action": "delete_selected", "_selected_action": [record.pk], "post": "yes"}
        answer = client.post(address, asked)
        return "" if answer.status_code == 302 else unescape(answer.content.decode())

    return {
        "api": through_api,
        "page": through_page,
        "admin": through_admin,
        "bulk": through_admin_in_bulk,
    }


# What is to be deleted, what needs it, and what is said. Without the second, all can be deleted.
CASES: list[tuple[str, Callable[[House], Any], str]] = [
    ("app", lambda house: None, "is used by the swarms shop-prod-web"),
    ("squad", lambda house: None, "is used by the swarms shop-prod-web"),
    ("build", House.runs, "is used by the swarms shop-prod-web"),
    ("release", House.runs, "is used by the swarms shop-prod-web"),
    (
        "build",
        lambda house: house.dispatched(build=house.build),
        "shop-prod-web is being dispatched with it",
    ),
    (
        "release",
        lambda house: house.dispatched(previous_release=house.release),
        "shop-prod-web is being dispatched with it",
    ),
    (
        "build",
        lambda house: Build.objects.update(status=BuildStatus.STARTED),
        "of shop-v1 is under way",
    ),
    (
        "buildpack",
        lambda house: App.objects.update(buildpack=house.buildpack),
        "is used by the apps shop",
    ),
    ("stack", lambda house: App.objects.update(stack=house.stack), "is used by the apps shop"),
    (
        "stack",
        lambda house: Build.objects.update(image=house.image),
        "is used by the builds shop-v1 (",
    ),
    (
        "image",
        lambda house: Build.objects.update(image=house.image),
        "is used by the builds shop-v1 (",
    ),
    ("image", lambda house: App.objects.update(stack=house.stack), "is used by the apps shop"),
    (
        "ingredient",
        lambda house: house.swarm.config_ingredients.add(house.ingredient),
        "is used by the swarms shop-prod-web",
    ),
    ("host", House.leased, f"is used by the procs {PROC}"),
    ("host", lambda house: running("atlas"), f"is used by the procs {PROC}"),
    ("host", lambda house: silence(), "can't be told now, as Redis does not answer"),
    ("swarm", House.leased, "still has 1 proc; scale it to 0 first: vr scale shop-prod-web 0"),
    ("swarm", lambda house: running("atlas"), "still has 1 proc; scale it to 0 first"),
    ("swarm", lambda house: left_squad(), "still has 1 proc; scale it to 0 first"),
    ("swarm", House.dispatched, "it is being dispatched; wait until that has ended"),
    ("swarm", lambda house: silence(), "can't be told now, as Redis does not answer"),
    (
        "dispatch",
        lambda house: Dispatch.objects.update(status=DispatchStatus.RUNNING),
        "it is under way; wait until it has ended",
    ),
    ("user", lambda house: None, "it is the last administrator"),
]
PATHS = [
    (door, case)
    for case in CASES
    for door in ("api", "page", "admin", "bulk")
    if (door != "api" or case[0] in _RESOURCES) and (door != "page" or case[0] in _PAGES)
]


def running(host: str) -> None:
    """The host says that a proc of the swarm runs; and another program that is none of ours."""
    from vr.server.events.announcing import redis_connection

    board = ProcBoard(redis_connection())
    board.replace(host, [info(PROC, "RUNNING", pid=7), info("redis", "RUNNING", pid=8)])


def left_squad() -> None:
    """The host left the squad while the swarm's procs run there."""
    running("atlas")
    Host.objects.update(squad=None)


def silence() -> None:
    """Redis can't be reached any more."""
    from django.conf import settings

    from vr.server.events.announcing import redis_connection

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis_connection.cache_clear()


@pytest.mark.parametrize(("door", "case"), PATHS, ids=[f"{d}-{c[0]}-{c[2]}" for d, c in PATHS])
def test_what_is_needed_stays_and_it_is_said_why(
    house: House,
    doors: dict[str, Callable[[Model], str]],
    door: str,
    case: tuple[str, Callable[[House], Any], str],
) -> None:
    kind, need, sentence = case
    record = getattr(house, kind)
    need(house)

    said = doors[door](record)

    assert sentence in said
    assert f"The {kind} {record} can't be deleted: " in said
    assert type(record)._default_manager.filter(pk=record.pk).exists()
    assert not LogEntry.objects.filter(type="remove").exists()


@pytest.mark.parametrize(
    ("door", "kind"),
    [
        *(("api", kind) for kind in sorted(_RESOURCES)),
        *(("page", kind) for kind in sorted(_PAGES)),
        *((door, kind) for door in ("admin", "bulk") for kind in sorted(_RESOURCES | {"image"})),
        ("admin", "dispatch"),
        ("bulk", "dispatch"),
    ],
)
def test_what_nothing_needs_goes_and_is_in_the_log(
    house: House, doors: dict[str, Callable[[Model], str]], door: str, kind: str
) -> None:
    if kind in {"app", "squad"}:
        house.swarm.delete()
    record = getattr(house, kind)
    name = str(record)

    assert doors[door](record) == ""

    assert not type(record)._default_manager.filter(pk=record.pk).exists()
    entry = LogEntry.objects.get(type="remove")
    assert entry.message == f"rex: remove {kind} {name}"
    assert entry.user == house.user


def squad_form(house: House) -> dict[str, Any]:
    return {
        "name": "local",
        "hosts-TOTAL_FORMS": 1,
        "hosts-INITIAL_FORMS": 1,
        "hosts-0-id": house.host.pk,
        "hosts-0-squad": house.squad.pk,
        "hosts-0-name": "atlas",
        "hosts-0-active": "on",
    }


def test_a_host_with_procs_is_not_taken_out_beside_its_squad(house: House, client: Client) -> None:
    house.leased()
    client.force_login(house.user)

    form = squad_form(house) | {"hosts-0-DELETE": "on"}
    answer = client.post(f"/admin/server/squad/{house.squad.pk}/change/", form)

    assert "The host atlas can't be deleted" in unescape(answer.content.decode())
    assert Host.objects.exists()
    PortLease.objects.all().delete()
    assert client.post(f"/admin/server/squad/{house.squad.pk}/change/", form).status_code == 302
    assert not Host.objects.exists()
    actions = LogEntry.objects.order_by("id").values_list("message", flat=True)
    assert list(actions) == ["rex: change squad local", "rex: remove host atlas"]


def test_what_the_admin_saves_is_in_the_log(house: House, client: Client) -> None:
    client.force_login(house.user)
    form = squad_form(house) | {"name": "far", "hosts-0-name": "rhea"}

    assert client.post(f"/admin/server/squad/{house.squad.pk}/change/", form).status_code == 302

    actions = LogEntry.objects.order_by("id").values_list("message", flat=True)
    assert list(actions) == ["rex: change squad far", "rex: change host rhea"]


def test_what_is_needed_only_after_the_question_stays(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(house.user)
    house.leased()
    nothing: tuple[list[Any], dict[str, int], set[str], list[str]] = ([], {}, set(), [])
    monkeypatch.setattr(RecordAdmin, "get_deleted_objects", lambda *_: nothing)

    one = client.post(f"/admin/server/host/{house.host.pk}/delete/", {"post": "yes"}, follow=True)
    asked = {"action": "delete_selected", "_selected_action": [house.host.pk], "post": "yes"}
    bulk = client.post("/admin/server/host/", asked, follow=True)

    for answer in (one, bulk):
        assert "The host atlas can't be deleted" in unescape(answer.content.decode())
    assert Host.objects.exists()
    assert not LogEntry.objects.exists()


def test_what_is_gone_already_is_no_error(house: House) -> None:
    from vr.server.records import changes

    Host.objects.all().delete()
    changes.delete(house.host, user=house.user)
    assert not LogEntry.objects.exists()


def test_what_the_database_alone_protects_is_told_as_well(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vr.server.records import changes, guards

    monkeypatch.setattr(guards, "_GUARDS", {})
    with pytest.raises(InUse, match="used by swarm shop-v1-prod-web"):
        changes.delete(house.app, user=house.user)
    assert App.objects.exists()


def test_a_swarm_of_the_same_name_elsewhere_keeps_nothing(house: House, doors: Any) -> None:
    far = Squad.objects.create(name="far")
    twin = Swarm.objects.create(
        app=house.app, squad=far, tag="v1", config_name="prod", proc_name="web"
    )
    running("atlas")
    assert doors["api"](twin) == ""
