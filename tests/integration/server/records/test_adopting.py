"""Strays become a swarm's, without touching what runs; and a swarm's own never become strays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from support.api_client import Api
from support.load import Load
from support.swarm_machine import HOST, Machine
from vr.errors import InvalidInput
from vr.events.procs import ProcBoard
from vr.server.models import App, Dispatch, DispatchStatus, Event, Host, PortLease, Swarm
from vr.server.records.adopting import adopt
from vr.server.swarming.proc_actions import UnknownProc


@pytest.fixture
def host(machine: Machine) -> Host:
    return Host.objects.get()


@pytest.fixture
def strays(machine: Machine, served: Swarm, redis: Any) -> list[str]:
    """Two procs of a swarm that is gone."""
    Dispatch.objects.all().delete()
    Swarm.objects.all().delete()
    ProcBoard(redis).replace(HOST, machine.supervisor.all())
    return machine.procs()


def test_a_swarm_is_made_of_what_runs_and_its_dispatch_keeps_it(
    machine: Machine, strays: list[str], host: Host
) -> None:
    made = adopt(host, strays[0], user=None)
    assert adopt(host, strays[1], user=None) == made, "it goes to the one that is called like it"
    assert (made.app.name, made.tag, made.config_name, made.proc_name) == (
        ("shop", "v1", "prod", "web")
    )
    assert (made.size, made.squad, made.pool) == (2, machine.squad, "")
    assert set(PortLease.objects.values_list("proc", "swarm")) == {
        (proc, made.pk) for proc in strays
    }
    assert [event.tags for event in Event.objects.filter(tags=["user", "adopt"])] != []

    Swarm.objects.update(pool="shop", balancer="nginx")
    made.refresh_from_db()
    dispatch = machine.dispatch(made, tag="-")

    assert dispatch.status == DispatchStatus.SUCCEEDED, dispatch.error
    assert [step.kind for step in dispatch.steps.all()] == ["build", "release", "uptest", "route"]
    assert machine.procs() == strays
    assert machine.nginx.get("shop").text == "v1"


def test_a_swarm_that_is_told_replaces_what_it_adopted(
    machine: Machine, strays: list[str], host: Host
) -> None:
    other = machine.swarm(config_name="europe", size=1)
    for proc in strays:
        assert adopt(host, proc, other, user=None) == other
    dispatch = machine.dispatch(other)
    assert dispatch.status == DispatchStatus.SUCCEEDED, dispatch.error
    (proc,) = machine.procs()
    assert "-europe-" in proc
    assert PortLease.objects.get().proc == proc


def test_what_is_no_stray_is_not_given_away(
    machine: Machine, served: Swarm, redis: Any, host: Host
) -> None:
    ProcBoard(redis).replace(HOST, machine.supervisor.all())
    mine = machine.procs()[0]
    other = machine.swarm(config_name="europe", pool="", balancer="")
    assert adopt(host, mine, user=None) == served, "it stays where it is"
    with pytest.raises(InvalidInput, match="no stray: it is a proc of shop-prod-web"):
        adopt(host, mine, other, user=None)
    with pytest.raises(InvalidInput, match="not one of Velociraptor's"):
        adopt(host, "cron", user=None)
    with pytest.raises(UnknownProc, match="has no proc named"):
        adopt(host, "shop-v9-old-0a1b2c3d-web-5001", user=None)


def test_all_that_keeps_a_swarm_from_being_made_is_told_at_once(
    strays: list[str], host: Host
) -> None:
    from vr.server.models import Release

    Release.objects.all().delete()
    Host.objects.update(squad=None)
    host.refresh_from_db()
    with pytest.raises(InvalidInput) as caught:
        adopt(host, strays[0], user=None)
    release, squad = caught.value.problems
    assert "runs a release that is not known any more" in release
    assert "without a squad" in squad
    assert not Swarm.objects.exists()


def test_swarms_of_other_apps_get_none(machine: Machine, strays: list[str], host: Host) -> None:
    other = machine.swarm(app=machine.app("till"))
    with pytest.raises(InvalidInput, match="is of the app shop, and till-prod-web of till"):
        adopt(host, strays[0], other, user=None)
    assert set(PortLease.objects.values_list("swarm", flat=True)) == {None}


def test_pages_and_api_go_through_the_same_door(
    strays: list[str], api: Api, client: Client, user: Any
) -> None:
    client.force_login(user)
    page = f"/proc/{HOST}/{strays[0]}/"
    assert "No swarm owns this proc" in client.get(page).content.decode()
    answer = client.post(f"{page}adopt/", {"swarm": ""})
    made = Swarm.objects.get()
    assert answer["Location"] == f"/swarm/{made.pk}/"
    assert "No swarm owns" not in client.get(page).content.decode()

    answer = api.post(f"hosts/{HOST}/procs/{strays[1]}/adopt/", {"swarm": made.pk})
    assert (answer.status_code, answer.json()["name"]) == (200, "shop-prod-web")
    answer = api.post(f"hosts/{HOST}/procs/shop-v9-old-0a1b2c3d-web-1/adopt/", {})
    assert answer.status_code == 404


def renamed(swarm: Swarm) -> None:
    swarm.config_name = "europe"


def another_proc(swarm: Swarm) -> None:
    """One that listens to nobody."""
    swarm.proc_name = "worker"
    swarm.pool = swarm.balancer = ""


def another_app(swarm: Swarm) -> None:
    shop = swarm.app
    swarm.app = App.objects.create(name="till", repo_url=shop.repo_url, stack=shop.stack)


@pytest.mark.parametrize("change", [renamed, another_proc, another_app])
def test_what_a_changed_swarm_ran_goes_when_the_new_procs_serve(
    machine: Machine, served: Swarm, change: Callable[[Swarm], None]
) -> None:
    before = machine.procs()
    change(served)
    served.save()
    if served.app.name == "till":
        machine.build("v1", name="till")
    with Load(machine.nginx.port, "shop.localhost", rate=100) as load:
        dispatch = machine.dispatch(served)
    assert dispatch.status == DispatchStatus.SUCCEEDED, f"{dispatch.error}\n{dispatch.output}"
    assert not set(before) & set(machine.procs())
    assert len(machine.procs()) == PortLease.objects.count() == 2
    assert len(machine.folders()) == 2
    if served.proc_name == "web":
        assert load.failures == []
