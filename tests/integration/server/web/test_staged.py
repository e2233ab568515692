"""The pages' buttons for what is held and what failed, and the form's ways to go bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from vr.server.models import App, Dispatch, Host, Image, Squad, Stack, Swarm


@pytest.fixture
def make(web: Client, woken: list[str]) -> Callable[..., Dispatch]:
    """A dispatch of a new swarm in some state."""
    stack = Stack.objects.create(name="tests")
    Image.objects.create(stack=stack, name="tests", file="x", active=True)
    app = App.objects.create(name="shop", repo_url="/srv/shop", stack=stack)
    squad = Squad.objects.create(name="local")
    Host.objects.create(name="a", squad=squad)
    swarm = Swarm.objects.create(
        app=app, tag="v1", proc_name="web", config_name="prod", squad=squad, size=4
    )

    def make(status: str, **values: Any) -> Dispatch:
        return Dispatch.objects.create(swarm=swarm, tag="v2", size=4, status=status, **values)

    return make


def page(web: Client, dispatch: Dispatch) -> str:
    return web.get(f"/swarm/{dispatch.swarm_id}/").content.decode()


def test_what_is_held_says_so_and_is_routed_by_its_button(
    web: Client, make: Callable[..., Dispatch]
) -> None:
    held = make("held", hold=True, rests_until=timezone.now())
    assert "waits for you until" in page(web, held) and "Route it" in page(web, held)
    assert "v2 held" in web.get("/").content.decode()
    shown = web.post(f"/dispatch/{held.trace_id}/route/", follow=True).content.decode()
    assert "Route it" not in shown and "Cancel this dispatch" in shown
    held.refresh_from_db()
    assert (held.status, held.routed_by) == ("running", "rex")


def test_what_failed_is_tried_again_by_its_button(
    web: Client, make: Callable[..., Dispatch]
) -> None:
    failed = make("failed", batch=2, batched=2)
    assert "Try again" in page(web, failed)
    assert "By batches of 2: 2 of 4 procs done." in page(web, failed)
    shown = web.post(f"/dispatch/{failed.trace_id}/retry/", follow=True).content.decode()
    assert "Try again" not in shown
    assert failed.swarm.dispatches.count() == 2


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({}, (False, 0, 0)),
        ({"hold": "on", "canary": "25%", "batch": "2"}, (True, 1, 2)),
    ],
)
def test_the_form_says_how_a_version_is_to_come(
    web: Client, make: Callable[..., Dispatch], sent: dict[str, str], kept: tuple[Any, ...]
) -> None:
    swarm = make("succeeded").swarm
    web.post(f"/swarm/{swarm.pk}/dispatch/", {"tag": "v3", **sent})
    made = swarm.dispatches.get(tag="v3")
    assert (made.hold, made.canary, made.batch) == kept


def test_a_form_that_says_nonsense_is_answered_with_why(
    web: Client, make: Callable[..., Dispatch]
) -> None:
    swarm = make("succeeded").swarm
    for sent, said in (({"batch": "0"}, "Batch: "), ({"canary": "half"}, "canary: is ")):
        answer = web.post(f"/swarm/{swarm.pk}/dispatch/", {"tag": "v3", **sent}, follow=True)
        assert said in answer.content.decode()
    assert not swarm.dispatches.filter(tag="v3").exists()
