"""The row of a dispatch that is driven. All that the engine learns is written to it here, and
through the lease, so that a worker that was taken for dead overwrites nothing."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime

from django.utils import timezone

from vr.errors import VelociraptorError
from vr.server.jobs.leases import Lease, LeaseLost
from vr.server.models import Build, Dispatch, DispatchStatus, Release
from vr.server.procs import ports
from vr.server.swarming.problems import Cancelled

# How often the row is read for whether somebody wants it cancelled.
_LOOK_SECONDS = 0.5


class DispatchRow:
    """One worker's hold of one dispatch. `dispatch` is the row as it is known here."""

    def __init__(self, dispatch: Dispatch, lease: Lease) -> None:
        self.dispatch = dispatch
        self.lease = lease
        self._looked = 0.0

    @classmethod
    def begin(cls, dispatch_id: int, lease: Lease) -> DispatchRow:
        """Read the dispatch with all that belongs to it, and mark it as running."""
        dispatch = Dispatch.objects.select_related(
            "swarm__app__stack",
            "swarm__squad",
            "build__app",
            "build__image",
            "release__build__app",
            "release__build__image",
            "user",
        ).get(pk=dispatch_id)
        dispatch.status = DispatchStatus.RUNNING
        dispatch.started = dispatch.started or timezone.now()
        lease.rows.update(status=dispatch.status, started=dispatch.started)
        return cls(dispatch, lease)

    @property
    def build(self) -> Build:
        """The build that was chosen; only asked for once there is one."""
        assert self.dispatch.build is not None
        return self.dispatch.build

    @property
    def release(self) -> Release:
        """The release to run; only asked for once it is known."""
        assert self.dispatch.release is not None
        return self.dispatch.release

    def choose_build(self, build: Build) -> None:
        self.dispatch.build = build
        self.lease.rows.update(build=build)

    def choose_release(self, release: Release, own_config: str) -> None:
        """From here on it is known which procs are current, and of what config they were made."""
        self.dispatch.release, self.dispatch.own_config = release, own_config
        self.lease.rows.update(release=release, own_config=own_config)

    def add_note(self, text: str) -> None:
        """Add to what is to be known of the dispatch; once, however often it is said."""
        if text not in self.dispatch.note:
            self.dispatch.note = f"{self.dispatch.note} {text}".strip()
            self.lease.rows.update(note=self.dispatch.note)

    def note_routed_before(self, nodes: Collection[str]) -> None:
        """Remember what was routed before this dispatch changed the pool; the first word counts."""
        if self.dispatch.routed_before is None:
            self.dispatch.routed_before = sorted(nodes)
            self.lease.rows.update(routed_before=self.dispatch.routed_before)

    def hold(self, until: datetime) -> None:
        """Leave it to whoever has it routed or cancelled, and be sure that somebody looks `until`
        then."""
        dispatch = self.dispatch
        dispatch.status, dispatch.rests_until = DispatchStatus.HELD, until
        self.lease.rows.update(status=dispatch.status, rests_until=until)

    def test_again(self) -> None:
        """Uptests that were passed until now count no more."""
        self.dispatch.tested_after = timezone.now()
        self.lease.rows.update(tested_after=self.dispatch.tested_after)

    def end_batch(self, batched: int) -> None:
        """What this dispatch has brought in by now, `batched` procs, is in service for good; a
        failure leads back to here. Raises LeaseLost."""
        self.dispatch.batched, self.dispatch.routed_before = batched, None
        if not self.lease.rows.update(batched=batched, routed_before=None):
            raise LeaseLost
        ports.settle(self.dispatch)

    def check_wanted(self) -> None:
        """Raise Cancelled if somebody wants the dispatch cancelled, unless it fails already."""
        dispatch, now = self.dispatch, time.monotonic()
        if dispatch.error or now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        asked = self.lease.rows.filter(cancel_asked__isnull=False).values("cancelled_by").first()
        if asked is not None:
            raise Cancelled(asked["cancelled_by"])

    def note_failure(self, error: VelociraptorError) -> None:
        """Note why the dispatch fails, or is cancelled; after an earlier reason it is only more
        output."""
        if self.dispatch.error:
            self.add_output(f"{error}\n{error.details}")
        else:
            self.dispatch.error, self.dispatch.output = str(error), error.details
        self.lease.rows.update(error=self.dispatch.error, output=self.dispatch.output)

    def add_output(self, text: str) -> None:
        """Add to the output; stored with whatever is written next."""
        self.dispatch.output = f"{self.dispatch.output}\n{text}".strip()

    def end_superseded(self, why: str, by: str) -> None:
        """Mark it as cancelled `by` somebody who wanted something newer."""
        dispatch = self.dispatch
        dispatch.status, dispatch.error = DispatchStatus.CANCELLED, why
        dispatch.cancelled_by, dispatch.ended = by, timezone.now()
        self.lease.rows.update(
            status=dispatch.status, error=why, cancelled_by=by, ended=dispatch.ended
        )

    def end(self) -> float:
        """Mark the dispatch as ended, failed if a reason was noted, cancelled if that was it;
        returns how many seconds it took."""
        dispatch = self.dispatch
        if not dispatch.error:
            dispatch.status = DispatchStatus.SUCCEEDED
        elif self._was_cancelled:
            dispatch.status = DispatchStatus.CANCELLED
        else:
            dispatch.status = DispatchStatus.FAILED
        dispatch.ended = timezone.now()
        self.lease.rows.update(status=dispatch.status, ended=dispatch.ended, output=dispatch.output)
        assert dispatch.started is not None
        return (dispatch.ended - dispatch.started).total_seconds()

    @property
    def _was_cancelled(self) -> bool:
        # Whoever began to undo it may have been another worker.
        by = self.lease.rows.values_list("cancelled_by", "cancel_asked").first()
        return by is not None and by[1] is not None and self.dispatch.error == str(Cancelled(by[0]))
