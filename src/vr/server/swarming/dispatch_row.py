"""The row of a dispatch that is driven. All that the engine learns is written to it here, and
through the lease, so that a worker that was taken for dead overwrites nothing."""

from __future__ import annotations

from collections.abc import Collection

from django.utils import timezone

from vr.errors import VelociraptorError
from vr.server.jobs.leases import Lease
from vr.server.models import Build, Dispatch, DispatchStatus, Release


class DispatchRow:
    """One worker's hold of one dispatch. `dispatch` is the row as it is known here."""

    def __init__(self, dispatch: Dispatch, lease: Lease) -> None:
        self.dispatch = dispatch
        self.lease = lease

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

    def note_failure(self, error: VelociraptorError) -> None:
        """Note why the dispatch fails; after an earlier reason it is only more output."""
        if self.dispatch.error:
            self.add_output(f"{error}\n{error.details}")
        else:
            self.dispatch.error, self.dispatch.output = str(error), error.details
        self.lease.rows.update(error=self.dispatch.error, output=self.dispatch.output)

    def add_output(self, text: str) -> None:
        """Add to the output; stored with whatever is written next."""
        self.dispatch.output = f"{self.dispatch.output}\n{text}".strip()

    def end(self) -> float:
        """Mark the dispatch as ended, failed if a reason was noted; returns how many seconds it
        took."""
        dispatch = self.dispatch
        dispatch.status = DispatchStatus.FAILED if dispatch.error else DispatchStatus.SUCCEEDED
        dispatch.ended = timezone.now()
        self.lease.rows.update(status=dispatch.status, ended=dispatch.ended, output=dispatch.output)
        assert dispatch.started is not None
        return (dispatch.ended - dispatch.started).total_seconds()
