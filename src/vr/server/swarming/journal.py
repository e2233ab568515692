"""A dispatch as people follow it: its steps with how far and how long, and its events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from vr.errors import VelociraptorError
from vr.server.events.announcing import announce
from vr.server.events.kinds import Kind
from vr.server.models import Dispatch, Step, StepKind, StepStatus


class Journal:
    """Writes the steps and events of one dispatch."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    @contextmanager
    def step(self, kind: StepKind, message: str) -> Iterator[OpenStep]:
        """A step that runs within the block: done at its end, failed if it raises.

        One that an earlier worker began goes on, with its first start.
        """
        row, is_new = Step.objects.get_or_create(
            dispatch=self._dispatch,
            kind=kind,
            defaults={"message": message, "started": timezone.now()},
        )
        if not is_new:
            row.status, row.message, row.ended = StepStatus.RUNNING, message, None
            row.save(update_fields=["status", "message", "ended"])
        self._tell(row)
        opened = OpenStep(row)
        try:
            yield opened
        except VelociraptorError as error:
            row.message = error.message
            self._end(row, StepStatus.FAILED)
            raise
        except Exception:
            self._end(row, StepStatus.FAILED)
            raise
        if not opened.is_left_open:
            self._end(row, StepStatus.DONE)

    def _end(self, row: Step, status: StepStatus) -> None:
        row.status, row.ended = status, timezone.now()
        row.save(update_fields=["status", "message", "ended"])
        self._tell(row)

    def close_open_steps(self) -> None:
        """Mark steps that were cut off as failed, at the end of a failed dispatch."""
        self._dispatch.steps.filter(status=StepStatus.RUNNING).update(
            status=StepStatus.FAILED, ended=timezone.now()
        )

    def event(self, title: str, message: str = "", *, kind: Kind) -> None:
        """Announce something that happened to the swarm, with its trace id."""
        announce(
            title,
            message,
            kind=kind,
            trace_id=self._dispatch.trace_id,
            resource_uri=f"/api/v1/swarms/{self._dispatch.swarm_id}/",
        )

    def _tell(self, row: Step) -> None:
        """Wake whoever follows the dispatch; event panes leave hidden ones out."""
        self.event(
            f"{self._dispatch.swarm.name}: {row.kind} {row.status}",
            row.message,
            kind=Kind.STEP_CHANGED,
        )


class OpenStep:
    """A step that runs."""

    def __init__(self, row: Step) -> None:
        self._row = row
        self.is_left_open = False

    def say(self, message: str) -> None:
        """Tell how far it is, such as "1 of 2 procs ready"."""
        if message != self._row.message:
            self._row.message = message
            self._row.save(update_fields=["message"])

    def leave_open(self) -> None:
        """It goes on elsewhere after the block."""
        self.is_left_open = True
