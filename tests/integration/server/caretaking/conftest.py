"""A swarm that serves, and its caretaker."""

from __future__ import annotations

import pytest

from support.caretaking import Caretaker
from support.swarm_machine import Machine
from vr.server.models import DispatchStatus, Swarm


@pytest.fixture
def served(machine: Machine) -> Swarm:
    """A swarm of two procs whose v1 is routed."""
    machine.build("v1")
    swarm = machine.swarm()
    dispatch = machine.dispatch(swarm)
    assert dispatch.status == DispatchStatus.SUCCEEDED, dispatch.error
    return swarm


@pytest.fixture
def caretaker(machine: Machine, served: Swarm, monkeypatch: pytest.MonkeyPatch) -> Caretaker:
    """The caretaker of that swarm, whose tasks wait to be done by the test."""
    return Caretaker.make(machine, monkeypatch)
