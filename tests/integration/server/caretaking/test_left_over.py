"""What a dispatch could not retire goes once its host is heard, without anybody's help."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from support.caretaking import Caretaker
from support.swarm_machine import HOST, Machine
from vr.events.procs import ProcBoard
from vr.server.models import Dispatch, DispatchStatus, Swarm
from vr.server.swarming import asking


def test_procs_of_a_host_that_was_not_reached_are_retired_later(
    caretaker: Caretaker, machine: Machine, served: Swarm, redis: Any, settings: Any, tmp_path: Any
) -> None:
    reached = settings.SUPERVISOR_URL
    settings.SUPERVISOR_URL = f"unix://{tmp_path}/none.sock"
    scaled = machine.drive(asking.scale(served, 0, user=None))
    settings.SUPERVISOR_URL = reached
    assert scaled.status == DispatchStatus.SUCCEEDED
    assert f"Not reached: {HOST}." in scaled.output
    assert len(machine.procs()) == 2

    Dispatch.objects.update(ended=timezone.now() - timedelta(minutes=1))
    caretaker.go_round()
    assert not Dispatch.objects.filter(status=DispatchStatus.QUEUED), "nothing is heard of it"
    ProcBoard(redis).replace(HOST, machine.supervisor.all())
    caretaker.go_round()
    retiring = Dispatch.objects.get(status=DispatchStatus.QUEUED)
    assert retiring.note == f"Left over on {HOST}: what is not wanted there is retired."
    assert machine.drive(retiring).status == DispatchStatus.SUCCEEDED
    assert machine.procs() == [] and machine.folders() == []
    caretaker.go_round()
    assert not Dispatch.objects.filter(status=DispatchStatus.QUEUED)
