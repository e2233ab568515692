"""Actions: dispatching is accepted or refused at once; procs are those that hosts pushed."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from vr.events.procs import ProcBoard
from vr.server.events.announcing import redis_connection
from vr.server.models import (
    Build,
    BuildStatus,
    Dispatch,
    DispatchStatus,
    Host,
    PortLease,
    Squad,
    Stack,
    Swarm,
    TestRun,
)

PROC = "shop-v1-prod-0a1b2c3d-web-5000"


def test_swarming_answers_202_with_the_trace_id(
    fleet: Any, woken: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        accepted = fleet.post("swarms/1/swarm/")
    assert accepted.status_code == 202
    trace = accepted.json()["swarm_id"]
    assert len(trace) == 32
    assert woken == ["drive"]
    shown = fleet.get(accepted["Location"]).json()
    assert (shown["trace_id"], shown["status"], shown["version"]) == (trace, "queued", "v1")
    assert shown["steps"] == []
    assert fleet.get("swarms/1/").json()["latest_dispatch"] == accepted["Location"]


def test_a_version_and_size_can_be_given_with_it(fleet: Any) -> None:
    fleet.post("swarms/1/swarm/", {"version": "v2", "size": 3})
    shown = fleet.get("swarms/1/").json()
    assert (shown["version"], shown["size"]) == ("v2", 3)


def test_a_busy_swarm_answers_409_and_names_the_dispatch(fleet: Any) -> None:
    trace = fleet.post("swarms/1/swarm/").json()["swarm_id"]
    refused = fleet.post("swarms/1/swarm/", {"version": "v2"})
    assert refused.status_code == 409
    assert trace in refused.json()["error"]
    assert fleet.get("swarms/1/").json()["version"] == "v1"
    assert Dispatch.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("swarm", {"version": "v1-rc"}, "version: "),
        ("swarm", {"version": "a b"}, "version: "),
        ("swarm", {"size": -1}, "size: "),
        ("swarm", {"size": "many"}, "size: "),
        ("scale", {}, "size: is missing"),
        ("scale", {"size": -1}, "size: "),
        ("rollback", None, "no earlier successful release"),
    ],
)
def test_impossible_wishes_are_refused_and_nothing_is_begun(
    fleet: Any, path: str, body: Any, said: str
) -> None:
    refused = fleet.post(f"swarms/1/{path}/", body)
    assert refused.status_code == 400
    assert said in refused.json()["error"]
    assert not Dispatch.objects.exists()
    assert fleet.get("swarms/1/").json()["size"] == 1


def test_a_squad_without_active_hosts_is_refused(fleet: Any) -> None:
    fleet.patch("hosts/testhost/", {"active": False})
    refused = fleet.post("swarms/1/swarm/")
    assert refused.status_code == 400
    assert "'local'" in refused.json()["error"]
    assert refused.json()["hint"]


def test_unknown_objects_and_wrong_methods(fleet: Any) -> None:
    assert fleet.post("swarms/99/swarm/").status_code == 404
    assert fleet.post("builds/99/build/").status_code == 404
    assert fleet.post("releases/99/deploy/", {}).status_code == 404
    refused = fleet.get("swarms/1/swarm/")
    assert (refused.status_code, refused["Allow"]) == (405, "POST")


def test_a_build_is_queued_once(
    fleet: Any, woken: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    build = fleet.add("builds", app="shop", tag="v1")
    assert build["status"] == "pending"
    with django_capture_on_commit_callbacks(execute=True):
        accepted = fleet.post(f"{build['resource_uri']}build/")
    assert (accepted.status_code, accepted.content, woken) == (202, b"", ["run_build"])
    Build.objects.update(status=BuildStatus.SUCCESS)
    assert fleet.post(f"{build['resource_uri']}build/").status_code == 400


def test_a_build_needs_an_image_if_its_app_has_a_stack(fleet: Any) -> None:
    Stack.objects.create(name="bookworm")
    fleet.patch("apps/shop/", {"stack": "bookworm"})
    build = fleet.add("builds", app="shop", tag="v1")
    refused = fleet.post(f"{build['resource_uri']}build/")
    assert refused.status_code == 400
    assert "no active image" in refused.json()["error"]


def test_a_manual_deploy_checks_all_its_fields(fleet: Any) -> None:
    build = fleet.add("builds", app="shop", tag="v1")
    release = fleet.add("releases", build=build["resource_uri"])
    refused = fleet.post(f"{release['resource_uri']}deploy/", {"host": "moon", "port": "x"})
    assert refused.status_code == 400
    found = "\n".join(refused.json()["problems"])
    for key in ("host: there is no host 'moon'", "port: ", "proc: is missing", "config_name: "):
        assert key in found


def push(redis: Any, host: str, *names: str) -> None:
    infos = [{"name": name, "state": 20, "statename": "RUNNING"} for name in names]
    ProcBoard(redis).replace(host, infos)


def test_procs_are_those_last_pushed_with_their_age(fleet: Any, redis: Any) -> None:
    push(redis, "testhost", PROC, "redis")
    of_host = fleet.get("hosts/testhost/procs/").json()["objects"]
    assert [one["name"] for one in of_host] == ["redis", PROC]
    (proc,) = fleet.get("swarms/1/procs/").json()["objects"]
    assert (proc["name"], proc["port"], proc["silent"]) == (PROC, 5000, False)
    assert proc["age"] >= 0
    assert fleet.get(f"hosts/testhost/procs/{PROC}/").json()["id"] == f"testhost-{PROC}"
    redis.hset("host_heartbeats", "testhost", "1000000")
    assert fleet.get(f"hosts/testhost/procs/{PROC}/").json()["silent"] is True
    assert fleet.get("hosts/testhost/").json()["heard_from"]["silent"] is True


def test_a_host_that_never_spoke_is_silent_and_not_empty(fleet: Any) -> None:
    heard = fleet.get("hosts/testhost/").json()["heard_from"]
    assert heard == {"seen": None, "age": None, "silent": True}


def test_swarms_of_one_name_in_two_squads_keep_their_own_procs(fleet: Any, redis: Any) -> None:
    other = Squad.objects.create(name="other")
    host = Host.objects.create(name="second", squad=other)
    second = fleet.add(
        "swarms", app="shop", squad="other", version="v1", config_name="prod", proc_name="web"
    )
    push(redis, "testhost", PROC)
    push(redis, "second", PROC)
    for swarm, expected in ((1, "testhost"), (second["id"], "second")):
        objects = fleet.get(f"swarms/{swarm}/procs/").json()["objects"]
        assert [one["host"] for one in objects] == [expected]
    # A lease says whose proc it is, wherever its host is now.
    PortLease.objects.create(host=host, port=5000, swarm=Swarm.objects.get(pk=1), proc=PROC)
    objects = fleet.get("swarms/1/procs/").json()["objects"]
    assert [one["host"] for one in objects] == ["second", "testhost"]


def test_unknown_procs_and_actions(fleet: Any, redis: Any) -> None:
    push(redis, "testhost", PROC)
    missing = fleet.get("hosts/testhost/procs/nothing/")
    assert (missing.status_code, PROC in missing.json()["hint"]) == (404, True)
    assert fleet.get("hosts/moon/procs/").status_code == 404
    refused = fleet.post(f"hosts/testhost/procs/{PROC}/", {"action": "explode"})
    assert refused.status_code == 400
    assert "start, stop, restart" in refused.json()["error"]
    assert fleet.get(f"hosts/testhost/procs/{PROC}/log/?bytes=many").status_code == 400


def test_without_redis_procs_are_unknown_and_not_none(
    fleet: Any, redis: Any, settings: Any
) -> None:

    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    redis_connection.cache_clear()
    refused = fleet.get("swarms/")
    assert refused.status_code == 503
    assert "Redis" in refused.json()["error"]


def test_the_latest_test_run_is_the_newest_finished_one(fleet: Any) -> None:
    assert fleet.get("testruns/latest/").status_code == 404
    done = TestRun.objects.create(end=timezone.now())
    done.testresults.create(
        hostname="h", procname=PROC, passed=False, results=[{"Name": "01_up", "Passed": False}]
    )
    TestRun.objects.create()
    found = fleet.get("testruns/latest/?format=json&limit=9999")
    assert found.status_code == 302
    assert found["Location"] == f"/api/v1/testruns/{done.pk}/?format=json&limit=9999"
    (result,) = fleet.get(f"testruns/{done.pk}/").json()["testresults"]
    assert (result["passed"], result["results"]) == (False, "- Name: 01_up\n  Passed: false\n")


def test_ended_dispatches_are_listed_by_swarm_newest_first(fleet: Any) -> None:
    for _ in range(2):
        fleet.post("swarms/1/swarm/")
        Dispatch.objects.update(status=DispatchStatus.SUCCEEDED)
    listed = fleet.get("dispatches/?swarm=1").json()["objects"]
    assert [one["name"] for one in listed] == ["shop-prod-web"] * 2
    assert listed[0]["created"] > listed[1]["created"]
    assert fleet.get("dispatches/?swarm=2").json()["objects"] == []
