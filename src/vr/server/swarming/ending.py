"""How a dispatch ends: its row is closed, the swarm says what serves it now, people are told."""

from __future__ import annotations

from django.db import transaction

from vr.server.events.kinds import Kind
from vr.server.models import Dispatch, DispatchStatus, Swarm
from vr.server.swarming import reverting
from vr.server.swarming.dispatch_row import DispatchRow
from vr.server.swarming.journal import Journal
from vr.server.swarming.plan_types import Finish, Milestone
from vr.text.plurals import counted


def end(row: DispatchRow, journal: Journal, trouble: str = "") -> None:
    """Close the dispatch: with success, or failed or cancelled if a reason was noted. `trouble`
    is what else people should know.

    All at once: a dispatch that has ended has also been told of, wherever its worker dies.
    """
    row.lease.check()
    dispatch = row.dispatch
    if trouble:
        row.add_output(trouble)
    with transaction.atomic():
        is_committed = Milestone.COMMITTED in journal.milestones()
        goes_back = reverting.is_to_revert(dispatch, is_committed=is_committed)
        if goes_back:
            row.add_output(f"It had replaced some procs: {_what_comes_back(dispatch)}")
        _settle(dispatch, has_served=is_committed and dispatch.is_last_batch)
        journal.close_open_steps()
        seconds = row.end()
        if goes_back:
            reverting.revert(dispatch, journal)
        _tell(dispatch, journal, seconds=seconds, trouble=trouble)


def end_superseded(row: DispatchRow, journal: Journal, tag: str, by: str) -> None:
    """Close a dispatch that was held, as its swarm is to be brought to `tag` instead. Within a
    transaction."""
    journal.close_open_steps()
    row.end_superseded(f"Superseded: {journal.swarm} was swarmed to {tag} while it was held.", by)
    _tell(row.dispatch, journal, seconds=0, trouble="")


def _tell(dispatch: Dispatch, journal: Journal, *, seconds: float, trouble: str) -> None:
    if dispatch.status == DispatchStatus.CANCELLED:
        journal.event(
            f"{journal.swarm} → {dispatch.tag} cancelled",
            f"{dispatch.error} {_what_serves(dispatch)}\n\n{dispatch.output}".strip(),
            kind=Kind.SWARM_CANCELLED,
        )
    elif dispatch.error:
        journal.event(
            f"{journal.swarm} → {dispatch.tag} failed",
            f"{dispatch.error}\n\n{dispatch.output}".strip(),
            kind=Kind.SWARM_FAILED,
        )
    else:
        journal.event(
            f"{journal.swarm} → {dispatch.tag} done",
            f"{counted(dispatch.size, 'proc')} of {dispatch.tag} in service; "
            f"it took {seconds:.1f} s. {trouble}".strip(),
            kind=Kind.SWARM_DONE,
        )


def _what_serves(dispatch: Dispatch) -> str:
    before = dispatch.previous_release
    if reverting.is_reverted(dispatch):
        return _what_comes_back(dispatch)
    return f"{before.build.tag} still serves." if before else "Nothing was put to use."


def _what_comes_back(dispatch: Dispatch) -> str:
    before = dispatch.previous_release
    assert before is not None
    return f"{before.build.tag} is brought back, by batches of {dispatch.batch}."


def silence(finish: Finish) -> str:
    """A sentence about hosts that did not answer; empty if all did."""
    if not finish.silent_hosts:
        return ""
    return (
        f"Not reached: {', '.join(finish.silent_hosts)}. Old procs there are no longer routed; "
        "they are retired once it answers."
    )


def _settle(dispatch: Dispatch, *, has_served: bool) -> None:
    """Let the swarm say what serves it now.

    A version that was put to use stays what the swarm wants, whatever failed afterwards. One that
    wasn't is forgotten, so that `vr swarm … -` brings back what served and not what failed.
    """
    swarm = dispatch.swarm
    if not dispatch.error or has_served:
        if dispatch.release is not None:
            swarm.release = dispatch.release
            swarm.save(update_fields=["release"])
        return
    served = swarm.dispatches.filter(status=DispatchStatus.SUCCEEDED).order_by("-id").first()
    if served is not None:
        # Edits of the swarm meanwhile are somebody's newer wish.
        wished = Swarm.objects.filter(pk=swarm.pk, tag=dispatch.tag, size=dispatch.size)
        wished.update(tag=served.tag, size=served.size)
