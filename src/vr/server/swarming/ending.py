"""How a dispatch ends: its row is closed, the swarm says what serves it now, people are told."""

from __future__ import annotations

from django.db import transaction

from vr.server.events.kinds import Kind
from vr.server.models import Dispatch, DispatchStatus, Swarm
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
        _settle(dispatch, has_served=Milestone.COMMITTED in journal.milestones())
        journal.close_open_steps()
        _tell(dispatch, journal, seconds=row.end(), trouble=trouble)


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
    return f"{before.build.tag} still serves." if before else "Nothing was put to use."


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
