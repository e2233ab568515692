"""A swarm that serves, and its caretaker."""

from __future__ import annotations

import pytest

from support.caretaking import Caretaker
from support.swarm_machine import Machine
from vr.server.models import Swarm


@pytest.fixture
def caretaker(machine: Machine, served: Swarm, monkeypatch: pytest.MonkeyPatch) -> Caretaker:
    """The caretaker of that swarm, whose tasks wait to be done by the test."""
    return Caretaker.make(machine, monkeypatch)
