"""Cancelling by the API: queued or running, by whom, twice, too late, and what isn't there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from support.api_client import Api
from vr.server.events.kinds import Kind
from vr.server.models import ApiToken, App, Build, Dispatch, Event, Swarm

RUNNING = {"dispatches": "running", "builds": "started"}
ENDED = [
    ("dispatches", "succeeded"),
    ("dispatches", "failed"),
    ("dispatches", "cancelled"),
    ("builds", "success"),
    ("builds", "failed"),
    ("builds", "expired"),
]

Make = Callable[..., Dispatch | Build]


@pytest.fixture
def make(fleet: Api) -> Make:
    """A dispatch or a build in some state, that is another user's."""
    other = User.objects.create_user("trex")

    def make(kind: str, status: str) -> Dispatch | Build:
        if kind == "builds":
            return Build.objects.create(app=App.objects.get(), tag="v1", status=status)
        return Dispatch.objects.create(
            swarm=Swarm.objects.get(), tag="v1", size=1, status=status, user=other
        )

    return make


def path(row: Dispatch | Build) -> str:
    kind, key = ("dispatches", row.trace_id) if isinstance(row, Dispatch) else ("builds", row.pk)
    return f"{kind}/{key}/"


def told() -> list[tuple[str, str]]:
    """Who has cancelled what, as events tell."""
    rows = Event.objects.filter(tags=list(Kind.USER_CANCELLED.tags)).order_by("id")
    return list(rows.values_list("title", "message"))


@pytest.mark.parametrize(("kind", "first", "end"), [
    ("dispatches", "queued", "cancelled"),
    ("builds", "pending", "failed"),
])  # fmt: skip
def test_what_nobody_has_begun_is_over_with_the_answer(
    fleet: Api, make: Make, kind: str, first: str, end: str
) -> None:
    row = make(kind, first)
    assert fleet.post(f"{path(row)}cancel/").status_code == 202
    shown = fleet.get(path(row)).json()
    assert (shown["status"], shown["error"]) == (end, "Cancelled by rex.")
    again = fleet.post(f"{path(row)}cancel/")
    assert (again.status_code, "can't be cancelled" in again.json()["error"]) == (409, True)
    assert len(told()) == 1


@pytest.mark.parametrize("kind", RUNNING)
def test_what_runs_is_asked_to_end_once_and_by_whom_is_kept(
    fleet: Api, make: Make, kind: str
) -> None:
    row = make(kind, RUNNING[kind])
    assert fleet.post(f"{path(row)}cancel/").status_code == 202
    row.refresh_from_db()
    asked = row.cancel_asked
    assert (row.status, row.cancelled_by) == (RUNNING[kind], "rex")

    third = Api(ApiToken.issue(User.objects.create_user("ptero"), "test"))
    assert third.post(f"{path(row)}cancel/").status_code == 202
    row.refresh_from_db()
    assert (row.cancel_asked, row.cancelled_by) == (asked, "rex"), "the first one counts"
    assert len(told()) == 1


@pytest.mark.parametrize(("kind", "status"), ENDED)
def test_what_has_ended_stays_what_it_is(fleet: Api, make: Make, kind: str, status: str) -> None:
    row = make(kind, status)
    refused = fleet.post(f"{path(row)}cancel/")
    assert refused.status_code == 409
    assert status in refused.json()["error"]
    row.refresh_from_db()
    assert (row.status, row.cancel_asked, told()) == (status, None, [])


def test_a_dispatch_that_is_undone_or_past_return_is_refused(fleet: Api, make: Make) -> None:
    row = make("dispatches", "running")
    Dispatch.objects.update(error="It broke.")
    assert "is being undone already" in fleet.post(f"{path(row)}cancel/").json()["error"]
    Dispatch.objects.update(error="")
    assert isinstance(row, Dispatch)
    row.steps.create(kind="retire", status="running", started=timezone.now())
    refused = fleet.post(f"{path(row)}cancel/")
    assert (refused.status_code, "Roll back instead" in refused.json()["error"]) == (409, True)


@pytest.mark.parametrize("where", ["dispatches/nobody/", "builds/4711/", "builds/nobody/"])
def test_what_is_not_there_can_t_be_cancelled(fleet: Api, where: str) -> None:
    assert fleet.post(f"{where}cancel/").status_code == 404


@pytest.mark.parametrize("kind", RUNNING)
def test_nobody_cancels_without_signing_in_or_by_a_link(
    fleet: Api, make: Make, kind: str, client: Any
) -> None:
    row = make(kind, RUNNING[kind])
    assert client.post(f"/api/v1/{path(row)}cancel/").status_code == 401
    assert fleet.get(f"{path(row)}cancel/").status_code == 405
    row.refresh_from_db()
    assert row.cancel_asked is None
