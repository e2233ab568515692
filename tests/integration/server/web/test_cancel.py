"""Cancelling by the pages' buttons, which are there for as long as they help."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from vr.server.models import App, Build, Dispatch, Squad, Swarm

Row = Dispatch | Build
OPEN = [("dispatch", "queued"), ("dispatch", "running"), ("build", "pending"), ("build", "started")]
BUTTON = {"dispatch": "Cancel this dispatch", "build": "Cancel this build"}


@pytest.fixture
def make(web: Client, woken: list[str]) -> Callable[[str, str], Row]:
    """A dispatch or a build in some state, that is another user's."""
    app = App.objects.create(name="shop", repo_url="/srv/shop")
    squad = Squad.objects.create(name="local")

    def make(kind: str, status: str) -> Row:
        if kind == "build":
            return Build.objects.create(app=app, tag="v1", status=status)
        swarm = Swarm.objects.create(
            app=app, tag="v1", proc_name="web", config_name="prod", squad=squad
        )
        other = User.objects.create_user("trex")
        return Dispatch.objects.create(swarm=swarm, tag="v1", size=1, status=status, user=other)

    return make


def door(row: Row) -> str:
    if isinstance(row, Dispatch):
        return f"/dispatch/{row.trace_id}/cancel/"
    return f"/build/{row.pk}/cancel/"


def page(web: Client, row: Row) -> str:
    path = f"/swarm/{row.swarm_id}/" if isinstance(row, Dispatch) else f"/build/{row.pk}/"
    return web.get(path).content.decode()


@pytest.mark.parametrize(("kind", "status"), OPEN)
def test_the_button_is_there_until_it_was_pressed(
    web: Client, make: Callable[[str, str], Row], kind: str, status: str
) -> None:
    row = make(kind, status)
    assert BUTTON[kind] in page(web, row)
    assert door(row) in page(web, row)

    answer = web.post(door(row), follow=True)
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert BUTTON[kind] not in shown
    said = "Being cancelled, as rex asked." if status in {"running", "started"} else "Cancelled by"
    assert said in shown
    row.refresh_from_db()
    assert row.cancelled_by == "rex"


@pytest.mark.parametrize(
    ("kind", "status"), [("dispatch", "succeeded"), ("dispatch", "cancelled"), ("build", "success")]
)
def test_what_has_ended_has_no_button_and_an_old_page_s_gets_a_sentence(
    web: Client, make: Callable[[str, str], Row], kind: str, status: str
) -> None:
    row = make(kind, status)
    type(row).objects.filter(pk=row.pk).update(
        **({"ended": timezone.now(), "started": timezone.now()} if kind == "dispatch" else {})
    )
    assert BUTTON[kind] not in page(web, row)
    for _ in range(2):
        shown = web.post(door(row), follow=True).content.decode()
        assert "can&#x27;t be cancelled" in shown
    row.refresh_from_db()
    assert (row.status, row.cancel_asked) == (status, None)


@pytest.mark.parametrize("kind", ["dispatch", "build"])
def test_links_strangers_and_wrong_addresses_cancel_nothing(
    web: Client, make: Callable[[str, str], Row], kind: str
) -> None:
    row = make(kind, {"dispatch": "running", "build": "started"}[kind])
    assert web.get(door(row)).status_code == 405
    stranger = Client().post(door(row))
    assert (stranger.status_code, "/login" in stranger["Location"]) == (302, True)
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(User.objects.get(username="rex"))
    assert forged.post(door(row)).status_code == 403
    row.refresh_from_db()
    assert row.cancel_asked is None
    gone = {"dispatch": f"/dispatch/{'0' * 32}/cancel/", "build": "/build/4711/cancel/"}[kind]
    assert web.post(gone).status_code == 404
