"""Which states a stopped proc stays in."""

from __future__ import annotations

import pytest
from supervisor.states import ProcessStates

from vr.hosts.stopping import stays_down


@pytest.mark.parametrize(
    ("state", "start", "expected"),
    [
        (ProcessStates.STOPPED, 100, True),
        (ProcessStates.STOPPED, 0, False),  # added a moment ago, starts at once
        (ProcessStates.FATAL, 100, True),
        (ProcessStates.EXITED, 100, False),  # started again at once
        (ProcessStates.BACKOFF, 100, False),
        (ProcessStates.RUNNING, 100, False),
        (ProcessStates.STOPPING, 100, False),
    ],
)
def test_only_what_supervisor_leaves_alone_stays_down(
    state: int, start: int, expected: bool
) -> None:
    assert stays_down({"state": state, "start": start}) is expected
