"""Holding, canaries, batches, routing and trying again, by the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from support.api_client import Api
from vr.server.events.kinds import Kind
from vr.server.models import Dispatch, Event, Swarm

MANNER = ("hold", "canary", "canary_seconds", "batch")


@pytest.fixture
def make(fleet: Api) -> Callable[..., Dispatch]:
    """A dispatch of the only swarm in some state."""

    def make(status: str, **values: Any) -> Dispatch:
        usual = {"swarm": Swarm.objects.get(), "tag": "v2", "size": 1, "status": status}
        return Dispatch.objects.create(**{**usual, **values})

    return make


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({}, (False, 0, 0, 0)),
        ({"hold": True}, (True, 0, 0, 0)),
        ({"canary": "25%"}, (False, 2, 60, 0)),
        ({"canary": 3, "canary_seconds": 7}, (False, 3, 7, 0)),
        ({"canary": "1", "batch": 2, "hold": True}, (True, 1, 60, 2)),
    ],
)
def test_how_a_dispatch_is_to_go_is_kept(fleet: Api, asked: Any, kept: tuple[Any, ...]) -> None:
    accepted = fleet.post("swarms/1/swarm/", {"size": 5, **asked})
    assert accepted.status_code == 202, accepted.json()
    shown = fleet.get(accepted["Location"]).json()
    assert tuple(shown[key] for key in MANNER) == kept
    assert (shown["batched"], shown["preview"], shown["held_until"]) == (0, None, None)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"canary": "6"}, "canary: is '6', expected a number from 1 to 5"),
        ({"canary": "0%"}, "canary: "),
        ({"canary": "101%"}, "canary: "),
        ({"canary": "half"}, "canary: "),
        ({"canary_seconds": 5}, "canary_seconds: is for a canary"),
        ({"canary": 1, "canary_seconds": 0}, "canary_seconds: is 0"),
        ({"batch": -1}, "batch: is -1"),
        ({"batch": 2**31}, "batch: "),
        ({"hold": "yes"}, "hold: "),
        ({"hold": True, "size": 0}, "size: is 0, so there is nothing to hold"),
    ],
)
def test_what_can_t_be_done_so_is_refused(fleet: Api, asked: Any, said: str) -> None:
    refused = fleet.post("swarms/1/swarm/", {"size": 5, **asked})
    assert (refused.status_code, said in refused.json()["error"]) == (400, True), refused.json()
    assert not Dispatch.objects.exists()


def test_a_swarm_whose_pool_was_changed_is_moved_first(fleet: Api) -> None:
    Swarm.objects.update(routed_pools=[["nginx", "former"]])
    for asked in ({"batch": 1}, {"canary": 1}):
        refused = fleet.post("swarms/1/swarm/", asked)
        assert (refused.status_code, "pool: was changed" in refused.json()["error"]) == (400, True)
    assert fleet.post("swarms/1/swarm/", {"hold": True}).status_code == 202


def test_pools_of_held_versions_are_nobody_s(fleet: Api) -> None:
    for pool in ("held-shop", "HELD-shop"):
        refused = fleet.patch("swarms/1/", {"pool": pool, "balancer": "nginx"})
        assert (refused.status_code, "begins with 'held-'" in refused.json()["error"]) == (
            400,
            True,
        )


def test_what_is_held_is_shown_and_routed_once(fleet: Api, make: Callable[..., Dispatch]) -> None:
    Swarm.objects.update(pool="shop", balancer="")
    held = make("held", hold=True, rests_until=timezone.now())
    shown = fleet.get(f"dispatches/{held.trace_id}/").json()
    assert shown["status"] == "held" and shown["held_until"]
    assert fleet.get("swarms/1/").json()["under_way"] == {
        "trace_id": held.trace_id, "version": "v2", "status": "held",
    }  # fmt: skip
    assert fleet.post(f"dispatches/{held.trace_id}/route/").status_code == 202
    assert fleet.get(f"dispatches/{held.trace_id}/").json()["routed_by"] == "rex"
    assert Event.objects.filter(tags=list(Kind.USER_ROUTED.tags)).count() == 1
    again = fleet.post(f"dispatches/{held.trace_id}/route/")
    assert (again.status_code, "it is not held" in again.json()["error"]) == (409, True)


def test_what_failed_is_tried_again_once(fleet: Api, make: Callable[..., Dispatch]) -> None:
    failed = make("failed", hold=True, canary=1, canary_seconds=9)
    accepted = fleet.post(f"dispatches/{failed.trace_id}/retry/")
    assert accepted.status_code == 202
    shown = fleet.get(accepted["Location"]).json()
    assert (shown["version"], shown["size"]) == ("v2", 1)
    assert tuple(shown[key] for key in MANNER) == (True, 1, 9, 0)
    again = fleet.post(f"dispatches/{failed.trace_id}/retry/")
    assert (again.status_code, "was swarmed since" in again.json()["error"]) == (409, True)
    running = fleet.post(f"dispatches/{shown['trace_id']}/retry/")
    assert (running.status_code, "it has not failed" in running.json()["error"]) == (409, True)
