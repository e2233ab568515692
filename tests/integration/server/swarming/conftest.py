"""What dispatches are tried on: a swarm that serves already."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.swarm_machine import Machine
from vr.server.models import PortLease, Swarm


@pytest.fixture
def untouched(machine: Machine, served: Swarm) -> Callable[[], None]:
    """Checks that v1 is what it was, and that nothing else is there."""
    before = (machine.nodes(), machine.procs(), machine.folders())

    def check() -> None:
        assert (machine.nodes(), machine.procs(), machine.folders()) == before
        assert machine.nginx.get("shop").text == "v1"
        assert PortLease.objects.count() == len(before[1])
        served.refresh_from_db()
        assert served.release is not None and served.release.build.tag == served.tag == "v1"

    return check
