"""What the stack's Supervisor says of a program, and what that means."""

from __future__ import annotations

import pytest
from supervisor.states import ProcessStates

from vr.up.parts import Part


@pytest.mark.parametrize(
    ("state", "running", "stopped", "failing"),
    [
        ("RUNNING", True, False, False),
        ("STARTING", False, False, False),
        ("STOPPING", False, False, False),
        ("STOPPED", False, True, False),
        ("BACKOFF", False, False, True),
        ("EXITED", False, True, True),
        ("FATAL", False, True, True),
    ],
)
def test_a_part_runs_has_stopped_or_fails(
    state: str, running: bool, stopped: bool, failing: bool
) -> None:
    part = Part("web", getattr(ProcessStates, state), state, "", "")
    assert (part.is_running, part.is_stopped, part.is_failing) == (running, stopped, failing)
