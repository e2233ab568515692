"""A proc that restarts again and again is told once, and so is its end."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.utils import timezone

from support.caretaking import Caretaker
from support.swarm_machine import HOST, Machine
from vr.events.procs import ProcBoard
from vr.events.restarts import CALM_SECONDS, Restarts, packed
from vr.server.models import Step, StepKind
from vr.server.swarming import asking


@pytest.fixture
def push(redis: Any, machine: Machine, caretaker: Caretaker) -> Any:
    """Lets the host push its procs, of which the first has restarted so often in two minutes."""

    def pushed(row: int, *, ago: float = 1.0, **values: Any) -> None:
        now = time.time()
        looping = Restarts(row, row, now - ago - 120, now - ago)
        first, *others = sorted(machine.supervisor.all(), key=lambda info: str(info["name"]))
        infos = [{**first, "restarts": packed(looping), **values}]
        infos += [{**info, "restarts": packed(Restarts())} for info in others]
        ProcBoard(redis).replace(HOST, infos)

    return pushed


def test_a_loop_is_told_once_and_so_is_its_end(
    caretaker: Caretaker, machine: Machine, push: Any
) -> None:
    push(2)
    caretaker.go_round()
    assert caretaker.events("proc", "restarting") == []
    for row in range(3, 9):
        push(row)
        caretaker.go_round()
    [began] = caretaker.events("proc", "restarting")
    assert began.title == "shop-prod-web: web restarts again and again"
    assert f"{machine.procs()[0]} on {HOST}: restarted 3 times in 2 min 00 s" in began.message
    assert "serving" in began.message  # the end of its log
    for _ in range(3):
        push(8, ago=CALM_SECONDS + 5)
        caretaker.go_round()
    [ended] = caretaker.events("proc", "steady")
    assert "restarted 8 times, and stays up now" in ended.message
    push(9)
    caretaker.go_round()
    assert len(caretaker.events("proc", "restarting")) == 2


def test_a_loop_of_which_supervisor_or_a_user_made_an_end_is_not_steady(
    caretaker: Caretaker, push: Any
) -> None:
    push(5)
    caretaker.go_round()
    push(5, statename="FATAL")
    caretaker.go_round()
    push(6)
    caretaker.go_round()
    assert len(caretaker.events("proc", "restarting")) == 1
    push(6, statename="STOPPED")
    caretaker.go_round()
    push(0)
    caretaker.go_round()
    assert caretaker.events("proc", "steady") == []


def test_of_procs_that_a_dispatch_deals_with_it_tells_itself(
    caretaker: Caretaker, machine: Machine, served: Any, push: Any
) -> None:
    dispatch = asking.scale(served, 2, user=None)
    Step.objects.create(dispatch=dispatch, kind=StepKind.DEPLOY, started=timezone.now())
    push(5)
    caretaker.go_round()
    assert caretaker.events("proc", "restarting") == []
