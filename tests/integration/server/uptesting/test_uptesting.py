"""Uptests between dispatches, of procs that serve: on schedule and on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from support.api_client import Api
from support.swarm_machine import APP, HOST, Machine
from vr.server.jobs import wake
from vr.server.models import (
    DispatchStatus,
    Event,
    PortLease,
    ProcHealth,
    Step,
    StepKind,
    Swarm,
    TestResult,
    TestRun,
    UptestJob,
)
from vr.server.swarming import asking, proc_actions, proc_uptests
from vr.server.uptesting import carrying_out, pruning, rounds

BREAKS = """\
#!/usr/bin/env python3
import os, sys
broken = open("/broken/procs").read() if os.path.exists("/broken/procs") else ""
assert sys.argv[2] not in broken, "broken"
"""


@dataclass
class Uptester:
    """Goes round when told, and does at once what it would have told workers to do."""

    asked: list[int] = field(default_factory=list)

    def go_round(self) -> list[str]:
        """One round, with the tests that come of it; returns the procs tested."""
        rounds.go_round()
        tested = []
        while self.asked:
            lease_id = self.asked.pop(0)
            tested.append(PortLease.objects.get(pk=lease_id).proc)
            carrying_out.carry_out(lease_id)
            rounds.hand_out()
        return tested

    def go_round_when_due(self) -> list[str]:
        """A round when every proc's moment, and every pause, has come."""
        past = timezone.now() - timedelta(hours=1)
        PortLease.objects.update(created=past)
        ProcHealth.objects.exclude(tested=None).update(tested=past)
        UptestJob.objects.update(handed=None)
        return self.go_round()


@pytest.fixture
def uptester(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Uptester:
    made = Uptester()

    def send(task: str, *args: Any, **_: Any) -> None:
        if task == wake.UPTEST:
            made.asked.append(args[0])

    monkeypatch.setattr(wake, "now", send)
    return made


@pytest.fixture
def broken(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """What stands in this file are ports whose procs fail their uptests."""
    folder = tmp_path / "broken"
    folder.mkdir(mode=0o755)
    settings.VOLUME_ROOTS = [str(tmp_path)]
    yield folder / "procs"


@pytest.fixture
def served(machine: Machine, broken: Path) -> Swarm:
    machine.build("v1", app=APP, uptest=BREAKS)
    swarm = machine.swarm(volumes_yaml=f"- [{broken.parent}, /broken]", unroute_after=2)
    dispatch = machine.dispatch(swarm)
    assert dispatch.status == DispatchStatus.SUCCEEDED, dispatch.error
    return swarm


def node_of(proc: str) -> str:
    return f"{HOST}:{proc.rpartition('-')[2]}"


def events(*tags: str) -> list[Event]:
    return [event for event in Event.objects.order_by("pk") if event.tags == list(tags)]


def test_procs_are_tested_when_due_and_the_results_kept_in_one_round(
    uptester: Uptester, machine: Machine, served: Swarm
) -> None:
    # The dispatch has just tested them.
    assert uptester.go_round() == []
    assert sorted(uptester.go_round_when_due()) == machine.procs()
    [round_] = TestRun.objects.filter(dispatch=None)
    assert {result.procname for result in round_.testresults.all()} == set(machine.procs())
    assert all(result.passed and result.results for result in round_.testresults.all())
    assert uptester.go_round() == []
    assert round_.end is None
    TestRun.objects.update(until=timezone.now())
    uptester.go_round()
    round_.refresh_from_db()
    assert round_.end is not None


def test_one_that_fails_leaves_the_pool_after_its_limit_until_it_passes(
    uptester: Uptester, machine: Machine, served: Swarm, broken: Path
) -> None:
    bad, good = machine.procs()
    nodes = machine.nodes()
    broken.write_text(bad.rpartition("-")[2])
    uptester.go_round_when_due()
    assert machine.nodes() == nodes
    [told] = events("failed", "uptest")
    assert told.title == "shop-prod-web: web fails its uptests"
    assert bad in told.message
    assert "AssertionError: broken" in told.message

    uptester.go_round_when_due()
    assert machine.nodes() == [node_of(good)]
    assert len(events("proc", "unrouted")) == 1
    # It is tried again soon, and told of no more.
    ProcHealth.objects.filter(is_unrouted=True).update(tested=timezone.now() - timedelta(minutes=2))
    assert uptester.go_round() == [bad]
    assert len(events("failed", "uptest")) == len(events("proc", "unrouted")) == 1

    broken.unlink()
    uptester.go_round_when_due()
    assert machine.nodes() == nodes
    assert len(events("success", "uptest", "again")) == 1
    uptester.go_round_when_due()
    assert len(events("success", "uptest", "again")) == 1


def test_the_pool_is_never_emptied(
    uptester: Uptester, machine: Machine, served: Swarm, broken: Path
) -> None:
    broken.write_text(" ".join(proc.rpartition("-")[2] for proc in machine.procs()))
    for _ in range(3):
        uptester.go_round_when_due()
    assert len(machine.nodes()) == 1


def test_procs_that_a_dispatch_deals_with_or_a_user_stopped_are_left_alone(
    uptester: Uptester, machine: Machine, served: Swarm
) -> None:
    first, second = machine.procs()
    proc_actions.proc_action(machine.squad.hosts.get(), first, "stop", user=None)
    assert uptester.go_round_when_due() == [second]
    opened = asking.dispatch(served, user=None)
    Step.objects.create(dispatch=opened, kind=StepKind.DEPLOY, started=timezone.now())
    assert uptester.go_round_when_due() == []


def test_a_dispatch_that_begins_while_a_proc_is_tested_makes_the_result_worthless(
    uptester: Uptester, machine: Machine, served: Swarm, broken: Path, monkeypatch: Any
) -> None:
    broken.write_text(" ".join(machine.procs()))
    run = proc_uptests.run

    def test(*args: Any) -> Any:
        results = run(*args)
        opened = asking.dispatch(served, user=None)
        Step.objects.create(dispatch=opened, kind=StepKind.DEPLOY, started=timezone.now())
        return results

    monkeypatch.setattr(proc_uptests, "run", test)
    uptester.go_round_when_due()
    assert not TestResult.objects.filter(testrun__dispatch=None).exists()
    assert events("failed", "uptest") == []


def test_users_ask_for_a_swarm_a_proc_and_all(
    uptester: Uptester, machine: Machine, served: Swarm, user: Any, api: Api
) -> None:
    first = machine.procs()[0]
    monkeys = {
        f"swarms/{served.pk}/uptest/": machine.procs(),
        f"hosts/{HOST}/procs/{first}/uptest/": [first],
        "testruns/uptest/": machine.procs(),
    }
    for path, procs in monkeys.items():
        asked = api.post(path)
        assert asked.status_code == 202, asked.content
        # Who asks again before it has ended gets the same round.
        assert api.post(path).json() == asked.json()
        assert api.get(asked.json()["testrun"]).json()["end"] is None
        assert sorted(uptester.go_round()) == procs
        uptester.go_round()
        found = api.get(asked.json()["testrun"]).json()
        assert found["end"]
        assert found["user"] == f"/api/v1/user/{user.pk}/"
        assert sorted(one["procname"] for one in found["testresults"]) == procs
    shown = api.get("testresults/", {"procname": first, "passed": "true"}).json()
    assert shown["meta"]["total_count"] == 4


def test_what_can_not_be_tested_is_refused_with_a_reason(
    uptester: Uptester, machine: Machine, served: Swarm, api: Api
) -> None:
    for proc in machine.procs():
        proc_actions.proc_action(machine.squad.hosts.get(), proc, "stop", user=None)
    for path in (
        f"swarms/{served.pk}/uptest/",
        "testruns/uptest/",
        f"hosts/{HOST}/procs/x/uptest/",
    ):
        refused = api.post(path)
        assert refused.status_code == 409, path
        assert "nothing to test" in refused.json()["error"]
        assert "a user stopped" in refused.json()["hint"]
    asking.dispatch(served, user=None).steps.create(kind=StepKind.DEPLOY, started=timezone.now())
    assert api.post(f"swarms/{served.pk}/uptest/").status_code == 409


def test_old_results_are_forgotten_those_that_passed_first(db: None) -> None:
    now = timezone.now()
    old, new = (TestRun.objects.create(end=now - timedelta(days=age)) for age in (40, 2))
    for run, age in ((old, 40), (new, 2)):
        for passed in (True, False):
            run.testresults.create(hostname="one", procname="shop", passed=passed)
        run.testresults.update(time=now - timedelta(days=age))
    assert pruning.prune() == 3
    assert list(TestRun.objects.all()) == [new]
    [left] = TestResult.objects.all()
    assert not left.passed
