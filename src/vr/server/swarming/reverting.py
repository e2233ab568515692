"""A dispatch that fails, or is cancelled, between batches leaves both versions in service: another
one brings the former back, by batches of the same size."""

from __future__ import annotations

from vr.server.events.kinds import Kind
from vr.server.jobs import wake
from vr.server.models import Dispatch
from vr.server.swarming.journal import Journal


def is_to_revert(dispatch: Dispatch, *, is_committed: bool) -> bool:
    """Is the dispatch, which has ended, to be taken back by another? `is_committed`: the batch
    that was under way had begun to remove old procs.

    One that took another back is not: what serves then is told, and left to people.
    """
    is_between = bool(dispatch.batched) or (is_committed and not dispatch.is_last_batch)
    is_over = is_committed and dispatch.is_last_batch
    return bool(
        dispatch.error
        and is_between
        and not is_over
        and dispatch.previous_release_id
        and dispatch.reverts_id is None
    )


def is_reverted(dispatch: Dispatch) -> bool:
    """Is another one taking it back?"""
    return Dispatch.objects.filter(reverts=dispatch).exists()


def revert(failed: Dispatch, journal: Journal) -> None:
    """Open that dispatch, within the transaction in which the failed one has ended."""
    before, swarm = failed.previous_release, failed.swarm
    assert before is not None
    swarm.refresh_from_db(fields=["size"])
    opened = Dispatch.objects.create(
        swarm=swarm,
        user=failed.user,
        tag=before.build.tag,
        size=swarm.size,
        release=before,
        build=before.build,
        previous_release=before,
        batch=failed.batch,
        reverts=failed,
        note=f"Takes {failed.tag} back, which did not get further than {failed.batched} of "
        f"{failed.size} procs.",
    )
    journal.event(
        f"{journal.swarm} goes back to {before.build.tag}",
        f"{failed.tag} failed when {failed.batched} of {failed.size} procs were replaced; they are "
        f"replaced by {before.build.tag} again, by batches of {failed.batch} (trace "
        f"{opened.trace_id}).",
        kind=Kind.SWARM_REVERTED,
    )
    wake.after_commit(wake.DRIVE, opened.pk)
