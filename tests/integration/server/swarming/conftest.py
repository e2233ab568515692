"""What dispatches are tried on: a swarm that serves already."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.celery_worker import environment
from support.swarm_machine import Machine
from vr.server.models import Dispatch, PortLease, Swarm

DRIVE = """\
import sys, django
django.setup()
from vr.server.swarming import engine
engine.drive(int(sys.argv[1]))
"""


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


@pytest.fixture
def elsewhere(settings: Any, tmp_path: Path) -> Callable[[Dispatch], Any]:
    """Drives a dispatch in a process of its own, which is there no more after the block."""
    env = environment(settings, tmp_path)

    @contextmanager
    def drive(dispatch: Dispatch) -> Iterator[subprocess.Popen[bytes]]:
        argv = [sys.executable, "-c", DRIVE, str(dispatch.pk)]
        with subprocess.Popen(argv, env=env) as process:
            try:
                yield process
            finally:
                process.kill()

    return drive
