"""A dispatch as people follow it: its steps with how far and how long, and its events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from vr.errors import VelociraptorError
from vr.server.events.announcing import announce
from vr.server.events.kinds import Kind
from vr.server.jobs.leases import LeaseLost
from vr.server.models import Dispatch, Step, StepKind, StepStatus
from vr.server.swarming.plan_types import Milestone

# Each batch takes them anew.
_OF_BATCHES = (StepKind.ROUTE, StepKind.SETTLE, StepKind.DRAIN, StepKind.RETIRE)


class Journal:
    """The steps and events of one dispatch. `swarm` is the swarm's name, for titles."""

    def __init__(self, dispatch: Dispatch, check: Callable[[], None]) -> None:
        """`check` raises LeaseLost once another worker may drive the dispatch: it is asked
        before a step is written, which is the same row for both. It raises Cancelled once the
        dispatch is to be undone."""
        self.swarm = dispatch.swarm.name
        self._dispatch = dispatch
        self._check = check

    @contextmanager
    def step(self, kind: StepKind, message: str) -> Iterator[OpenStep]:
        """A step that runs within the block: done at its end, failed if it raises.

        One that an earlier worker began goes on, with its first start.
        """
        self._check()
        with transaction.atomic():
            row, is_new = Step.objects.get_or_create(
                dispatch=self._dispatch,
                kind=kind,
                defaults={"message": message, "started": timezone.now()},
            )
            if not is_new:
                row.status, row.message, row.ended = StepStatus.RUNNING, message, None
                row.save(update_fields=["status", "message", "ended"])
            self._tell(row)
        opened = OpenStep(row, self._check)
        try:
            yield opened
        except LeaseLost:
            raise
        except VelociraptorError as error:
            row.message = error.message
            self._end(row, StepStatus.FAILED)
            raise
        except Exception:
            self._end(row, StepStatus.FAILED)
            raise
        if not opened.is_left_open:
            self._end(row, StepStatus.DONE)

    def has(self, kind: StepKind) -> bool:
        """Has a step of that kind begun, be it ended or not?"""
        return self._dispatch.steps.filter(kind=kind).exists()

    def ended(self, kind: StepKind) -> datetime | None:
        """When the step of that kind was last done; None if it wasn't."""
        row = self._dispatch.steps.filter(kind=kind, status=StepStatus.DONE).first()
        return row.ended if row else None

    def milestones(self) -> frozenset[Milestone]:
        """What this dispatch has completed and can't be seen from outside."""
        return milestones_of(self._dispatch)

    def _end(self, row: Step, status: StepStatus) -> None:
        self._check()
        row.status, row.ended = status, timezone.now()
        with transaction.atomic():
            row.save(update_fields=["status", "message", "ended"])
            self._tell(row)

    def forget_batch(self) -> None:
        """Forget the steps by which milestones of the batch that is done are known."""
        self._dispatch.steps.filter(kind__in=_OF_BATCHES).delete()

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
            f"{self.swarm}: {row.kind} {row.status}",
            row.message,
            kind=Kind.STEP_CHANGED,
        )


class OpenStep:
    """A step that runs."""

    def __init__(self, row: Step, check: Callable[[], None]) -> None:
        self._row = row
        self._check = check
        self.is_left_open = False

    @property
    def started(self) -> datetime:
        """When it first began."""
        return self._row.started

    def check(self) -> None:
        """Raise LeaseLost if the dispatch may be another worker's by now, Cancelled if it is to
        be undone."""
        self._check()

    def say(self, message: str) -> None:
        """Tell how far it is, such as "1 of 2 procs ready". Raises LeaseLost."""
        self._check()
        if message != self._row.message:
            self._row.message = message
            self._row.save(update_fields=["message"])

    def leave_open(self) -> None:
        """It goes on elsewhere after the block."""
        self.is_left_open = True


def milestones_of(dispatch: Dispatch) -> frozenset[Milestone]:
    """What the dispatch has completed and can't be seen from outside."""
    return _milestones({row.kind: row for row in dispatch.steps.all()})


def _milestones(steps: Mapping[str, Step]) -> frozenset[Milestone]:
    done = {kind: row for kind, row in steps.items() if row.status == StepStatus.DONE}
    found = set()
    if StepKind.CANARY in done:
        found.add(Milestone.CANARIED)
    if route := done.get(StepKind.ROUTE):
        found.add(Milestone.ROUTED)
        drain = done.get(StepKind.DRAIN)
        # What was routed again after a drain must be drained again.
        if drain and drain.ended and route.ended and drain.ended >= route.ended:
            found.add(Milestone.DRAINED)
    if StepKind.RETIRE in steps or StepKind.SETTLE in done:
        found.add(Milestone.COMMITTED)
    return frozenset(found)
