"""What users ask for: refused with a sentence, or stored and queued. Nothing runs here."""

from __future__ import annotations

from typing import Any

import pytest

from vr.errors import InvalidInput
from vr.server.builds.asking import queue_build, request_build
from vr.server.builds.problems import CannotBuild
from vr.server.models import (
    App,
    Build,
    Dispatch,
    DispatchStatus,
    Host,
    LogEntry,
    PortLease,
    Release,
    Squad,
    Stack,
    Swarm,
)
from vr.server.swarming import asking
from vr.server.swarming.manual import deploy_release
from vr.server.swarming.problems import CannotDispatch, NothingToRollBackTo, SwarmBusy


@pytest.fixture
def swarm(db: None, redis: Any, woken: list[str]) -> Swarm:
    squad = Squad.objects.create(name="red")
    Host.objects.create(name="web1", squad=squad)
    app = App.objects.create(name="shop", repo_url="https://example.org/shop.git")
    return Swarm.objects.create(
        app=app, tag="v1", proc_name="web", config_name="prod", squad=squad, size=2
    )


def ended(swarm: Swarm, tag: str, status: str = DispatchStatus.SUCCEEDED) -> Release:
    """A dispatch of the swarm in the past, and what it left."""
    build = Build.objects.create(
        app=swarm.app, tag=tag, status="success", file=f"builds/{tag}", hash=tag
    )
    release = Release.objects.create(build=build, hash=f"{tag}000000"[:8])
    Dispatch.objects.create(swarm=swarm, tag=tag, size=2, release=release, status=status)
    if status == DispatchStatus.SUCCEEDED:
        swarm.release = release
        swarm.save()
    return release


def test_a_dispatch_stores_the_intent_and_wakes_a_worker(
    swarm: Swarm, user: Any, woken: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        dispatch = asking.dispatch(swarm, user=user, tag="v2", size=3)
    swarm.refresh_from_db()
    assert (swarm.tag, swarm.size) == ("v2", 3)
    assert (dispatch.tag, dispatch.size, dispatch.status) == ("v2", 3, "queued")
    assert len(dispatch.trace_id) == 32
    assert woken == ["drive"]
    assert LogEntry.objects.get().message == "rex: swarm shop-prod-web → v2, size 3"


@pytest.mark.parametrize("tag", [None, "-", ""])
def test_without_a_tag_the_version_stays(swarm: Swarm, tag: str | None) -> None:
    assert asking.dispatch(swarm, user=None, tag=tag).tag == "v1"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"tag": "my-branch"}, "version: 'my-branch' contains '-'"),
        ({"tag": "a/b"}, "version: 'a/b' can't be part of a file name"),
        ({"size": -1}, "size: is -1, expected a whole number from 0 to"),
        ({"size": 10**6}, "size: is 1000000"),
        ({"size": True}, "size: is True"),
    ],
)
def test_impossible_wishes_are_refused_and_nothing_changes(
    swarm: Swarm, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        asking.dispatch(swarm, user=None, **values)
    assert said in str(error.value)
    swarm.refresh_from_db()
    assert (swarm.tag, swarm.size) == ("v1", 2)
    assert not Dispatch.objects.exists()


def test_the_most_procs_of_a_swarm_are_a_setting(
    swarm: Swarm, woken: list[str], settings: Any
) -> None:
    settings.LARGEST_SWARM = 3
    with pytest.raises(InvalidInput, match="from 0 to 3"):
        asking.dispatch(swarm, user=None, size=4)
    assert asking.dispatch(swarm, user=None, size=3).size == 3


def test_a_squad_without_active_hosts_is_told(swarm: Swarm) -> None:
    Host.objects.update(active=False)
    with pytest.raises(CannotDispatch, match="squad 'red' of shop-prod-web has no act"):
        asking.dispatch(swarm, user=None)
    asking.dispatch(swarm, user=None, size=0)


def test_a_stack_without_an_image_is_told(swarm: Swarm) -> None:
    swarm.app.stack = Stack.objects.create(name="bookworm")
    with pytest.raises(CannotBuild, match="'bookworm' of shop has no active image"):
        asking.dispatch(swarm, user=None)
    with pytest.raises(CannotBuild, match="no active image"):
        request_build(swarm.app, "v1", user=None)


@pytest.mark.parametrize(
    ("balancer", "said"), [("gone", "the balancer 'gone'"), ("", "no balancer")]
)
def test_an_unknown_balancer_is_told_with_the_choices(
    swarm: Swarm, balancer: str, said: str, settings: Any
) -> None:
    settings.BALANCERS = {"one": {}, "two": {}}
    swarm.pool, swarm.balancer = "shop", balancer
    with pytest.raises(CannotDispatch) as error:
        asking.dispatch(swarm, user=None)
    assert said in error.value.message and error.value.hint == "Choose one of: one, two."


def test_an_open_dispatch_is_named_to_the_second(swarm: Swarm) -> None:
    first = asking.dispatch(swarm, user=None)
    with pytest.raises(SwarmBusy) as error:
        asking.dispatch(swarm, user=None, tag="v9")
    assert first.trace_id in str(error.value) and error.value.dispatch == first
    swarm.refresh_from_db()
    assert swarm.tag == "v1"


def test_a_rollback_goes_to_the_last_success_before_this_release(swarm: Swarm) -> None:
    one = ended(swarm, "v1")
    ended(swarm, "v2")
    ended(swarm, "v3", DispatchStatus.FAILED)
    dispatch = asking.rollback(swarm, user=None)
    assert dispatch.release == one and dispatch.tag == "v1"


def test_a_rollback_passes_over_releases_whose_build_has_expired(swarm: Swarm) -> None:
    one = ended(swarm, "v1")
    two = ended(swarm, "v2")
    ended(swarm, "v3")
    Build.objects.filter(pk=two.build_id).update(status="expired")
    assert asking.rollback(swarm, user=None).release == one


def test_nothing_to_roll_back_to_is_told(swarm: Swarm) -> None:
    ended(swarm, "v1")
    with pytest.raises(NothingToRollBackTo, match="no earlier successful release"):
        asking.rollback(swarm, user=None)


def test_scaling_keeps_the_running_release_whatever_was_edited(swarm: Swarm) -> None:
    one = ended(swarm, "v1")
    swarm.tag = "v2"
    swarm.save()
    dispatch = asking.scale(swarm, 5, user=None)
    assert (dispatch.release, dispatch.tag, dispatch.size) == (one, "v1", 5)


def test_only_a_pending_build_can_be_queued(swarm: Swarm) -> None:
    build = request_build(swarm.app, "v1", user=None)
    queue_build(build, user=None)
    build.status = "failed"
    with pytest.raises(CannotBuild, match="is failed; only a pending one"):
        queue_build(build, user=None)


def test_a_manual_deploy_takes_its_port(swarm: Swarm) -> None:
    release = ended(swarm, "v1")
    host = Host.objects.get()
    deploy = {"host": host, "proc": "web", "config_name": "prod", "user": None}
    name = deploy_release(release, port=5000, **deploy)
    assert name == f"shop-v1-prod-{release.hash}-web-5000"
    assert PortLease.objects.get().proc == name
    with pytest.raises(InvalidInput, match="port: 5000 of web1 belongs to shop-v1"):
        deploy_release(release, port=5000, **deploy)
    for port in (-1, 80, 70000):
        with pytest.raises(InvalidInput, match="expected 0 or 1024 to 65535"):
            deploy_release(release, port=port, **deploy)
    for _ in range(2):
        deploy_release(release, port=0, **deploy)
