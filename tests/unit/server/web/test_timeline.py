"""A dispatch's steps as a timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vr.server.web.timeline import ORDER, timeline

START = datetime(2026, 11, 20, 8, tzinfo=UTC)


@dataclass
class Row:
    kind: str
    status: str
    message: str = ""
    started: datetime = START
    ended: datetime | None = None


def done(kind: str, seconds: float = 1.0) -> Row:
    return Row(kind, "done", ended=START + timedelta(seconds=seconds))


def test_steps_still_to_come_are_pending_while_the_dispatch_is_open() -> None:
    stages = timeline([done("build", 2.5), Row("release", "running")], is_open=True)

    assert [stage.kind for stage in stages] == [
        kind for kind in ORDER if kind not in {"hold", "canary"}
    ]
    assert [stage.status for stage in stages[:3]] == ["done", "running", "pending"]
    assert stages[0].seconds == 2.5
    assert stages[1].running_since == START


def test_holding_and_canaries_are_shown_in_their_place_once_they_have_begun() -> None:
    stages = timeline([done("uptest"), Row("hold", "running")], is_open=True)
    kinds = [stage.kind for stage in stages]
    assert kinds[kinds.index("uptest") :][:3] == ["uptest", "hold", "route"]


def test_steps_that_never_came_are_skipped_once_it_has_ended() -> None:
    stages = timeline([done("build"), Row("deploy", "failed", ended=START)], is_open=False)

    statuses = {stage.kind: stage.status for stage in stages}

    assert statuses["deploy"] == "failed"
    assert {statuses[kind] for kind in ("release", "start", "route")} == {"skipped"}


def test_a_step_left_running_by_a_dead_worker_does_not_run_on_after_the_end() -> None:
    [build, *_] = timeline([Row("build", "running")], is_open=False)

    assert (build.status, build.running_since) == ("skipped", None)


def test_undo_comes_last_and_only_if_it_happened() -> None:
    assert timeline([done("undo")], is_open=False)[-1].label == "Undo"
    assert "undo" not in [stage.kind for stage in timeline([], is_open=True)]
