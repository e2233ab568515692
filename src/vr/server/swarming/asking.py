"""What users ask of a swarm, as API and pages call it: check, store the intent, wake a worker.

Every function returns at once; progress is in the returned row, its steps and its events.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.jobs import cancelled, leases, wake
from vr.server.models import (
    BuildStatus,
    Dispatch,
    DispatchStatus,
    Step,
    StepKind,
    Swarm,
)
from vr.server.models.dispatch import UNDER_WAY
from vr.server.swarming.dispatch_row import DispatchRow
from vr.server.swarming.ending import end
from vr.server.swarming.journal import Journal, milestones_of
from vr.server.swarming.manner import AT_ONCE, Manner
from vr.server.swarming.opening import Wish, open_dispatch, open_for
from vr.server.swarming.plan_types import Milestone
from vr.server.swarming.problems import (
    Cancelled,
    CannotCancel,
    CannotRetry,
    CannotRoute,
    NothingToRollBackTo,
)
from vr.server.swarming.releases import previous_release

_BEFORE_PROCS = (StepKind.BUILD, StepKind.RELEASE)


def dispatch(
    swarm: Swarm,
    *,
    user: Any,
    tag: str | None = None,
    size: int | None = None,
    manner: Manner = AT_ONCE,
) -> Dispatch:
    """Bring `swarm` to `tag` (None or "-": the one it has) and `size` (None: as it is), in that
    `manner`.

    Stores both in the swarm and queues the work. Raises SwarmBusy while another dispatch of
    the swarm is open and not held, InvalidInput for an impossible tag, size or manner,
    CannotDispatch or CannotBuild for a swarm that can't run: squad without active hosts, unknown
    balancer, stack without image.
    """
    tag = swarm.tag if tag in {None, "", "-"} else str(tag)
    wish = Wish(tag, _size(swarm, size), manner=manner)
    return open_for(swarm, wish, user=user, kind=Kind.USER_SWARMED)


def rollback(swarm: Swarm, *, user: Any, manner: Manner = AT_ONCE) -> Dispatch:
    """Bring `swarm` back to the last release that was dispatched with success before this one, and
    its config to what that was made of.

    Raises NothingToRollBackTo, and what `dispatch` raises.
    """
    release = previous_release(swarm)
    if release is None:
        raise NothingToRollBackTo(
            f"{swarm.name} has no earlier successful release to go back to.",
            hint="Swarm a version by its name instead.",
        )
    wish = Wish(
        release.build.tag, swarm.size, release=release, brings_back_config=True, manner=manner
    )
    return open_for(swarm, wish, user=user, kind=Kind.USER_ROLLED_BACK)


def scale(swarm: Swarm, size: int, *, user: Any) -> Dispatch:
    """Run `size` procs of what the swarm runs now, be its config edited since or not.

    Raises what `dispatch` raises.
    """
    wish = Wish(_serving_tag(swarm), size, release=swarm.release)
    return open_for(swarm, wish, user=user, kind=Kind.USER_SCALED)


def rescue(swarm: Swarm, *, user: Any, why: str) -> Dispatch:
    """Bring what the swarm runs now to its size again, on hosts that answer: procs of others are
    placed anew, and what is too many is retired. `why` is noted.

    Raises what `dispatch` raises.
    """
    wish = Wish(_serving_tag(swarm), swarm.size, release=swarm.release, note=why)
    return open_for(swarm, wish, user=user, kind=Kind.USER_RESCUED)


def retry(failed: Dispatch, *, user: Any) -> Dispatch:
    """Try again what a dispatch that failed, or was cancelled, was to do: the same version, size
    and manner, of the same release if it had come so far.

    Raises CannotRetry for one that has not, or that is not the last word on its swarm; and what
    `dispatch` raises.
    """
    if sentence := why_not_retried(failed):
        raise CannotRetry(sentence)
    build, release = failed.build, failed.release
    if build is not None and build.status in {BuildStatus.FAILED, BuildStatus.EXPIRED}:
        build = release = None  # it is built anew
    wish = Wish(
        failed.tag,
        failed.size,
        release=release,
        build=build,
        own_config=failed.own_config if release else "",
        note=failed.note,
        manner=Manner.of(failed),
    )
    return open_for(failed.swarm, wish, user=user, kind=Kind.USER_RETRIED)


def why_not_retried(dispatch: Dispatch) -> str:
    """Why it can't be retried, as a sentence; empty if it can."""
    what = f"{dispatch.swarm.name} → {dispatch.tag}"
    if dispatch.status not in {DispatchStatus.FAILED, DispatchStatus.CANCELLED}:
        return f"{what} can't be retried: it has not failed, it is {dispatch.status}."
    later = dispatch.swarm.dispatches.filter(pk__gt=dispatch.pk, reverts__isnull=True)
    if newer := later.order_by("-pk").first():
        return (
            f"{what} can't be retried: {newer.tag} was swarmed since. Swarm it instead: "
            f"vr swarm {dispatch.swarm.name} {dispatch.tag}"
        )
    return ""


def route(dispatch: Dispatch, *, user: Any) -> None:
    """Let a dispatch go on that is held: its procs are tested again, then routed.

    Returns at once. Raises CannotRoute for one that is not held.
    """
    with transaction.atomic():
        row = Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)
        if row.status != DispatchStatus.HELD or row.cancel_asked:
            is_status = "is being cancelled" if row.cancel_asked else f"is {row.status}"
            raise CannotRoute(
                f"{row.swarm.name} → {row.tag} can't be routed: it is not held, it {is_status}."
            )
        row.route_asked = row.tested_after = timezone.now()
        row.routed_by = cancelled.name_of(user)
        # Not held any more, and to be carried on by whoever is woken.
        row.status, row.rests_until = DispatchStatus.RUNNING, None
        row.save(
            update_fields=["route_asked", "routed_by", "tested_after", "status", "rests_until"]
        )
        user_did(
            user,
            Kind.USER_ROUTED,
            f"{row.swarm.name} → {row.tag}",
            trace_id=row.trace_id,
            resource_uri=f"/api/v1/swarms/{row.swarm_id}/",
        )
        wake.after_commit(wake.DRIVE, row.pk)


def cancel(dispatch: Dispatch, *, user: Any) -> None:
    """End an open dispatch and undo what it did: what served before goes on.

    Returns at once: whoever drives it gives up its step within a second, but for one that sets
    procs up. Raises CannotCancel for one that has ended, fails already, or has begun to remove
    the old procs.
    """
    with transaction.atomic():
        row = Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)
        if sentence := why_not_cancelled(row):
            raise CannotCancel(sentence)
        if row.cancel_asked is None:
            row.cancel_asked, row.cancelled_by = timezone.now(), cancelled.name_of(user)
            if row.status == DispatchStatus.HELD:
                row.status = DispatchStatus.RUNNING  # being undone
            row.save(update_fields=["cancel_asked", "cancelled_by", "status"])
            user_did(
                user,
                Kind.USER_CANCELLED,
                f"{row.swarm.name} → {row.tag}",
                trace_id=row.trace_id,
                resource_uri=f"/api/v1/swarms/{row.swarm_id}/",
            )
        wake.after_commit(wake.DRIVE, row.pk)
    _end_unbegun(row)


def why_not_cancelled(dispatch: Dispatch) -> str:
    """Why the dispatch can't be cancelled, as a sentence; empty if it can."""
    what = f"{dispatch.swarm.name} → {dispatch.tag}"
    if not dispatch.is_open:
        return f"{what} can't be cancelled: it has {dispatch.status} already."
    if dispatch.error:
        return f"{what} can't be cancelled: it failed, and is being undone already."
    if dispatch.is_last_batch and Milestone.COMMITTED in milestones_of(dispatch):
        return (
            f"{what} can't be cancelled: it serves, and the procs before it are being removed. "
            f"Roll back instead: vr rollback {dispatch.swarm.name}"
        )
    return ""


def _end_unbegun(dispatch: Dispatch) -> None:
    """End a dispatch that nobody has begun: it must not wait for its turn to be cancelled."""
    if dispatch.status != DispatchStatus.QUEUED:
        return
    with leases.hold(Dispatch, dispatch.pk, [DispatchStatus.QUEUED]) as lease:
        if lease is None:
            return
        row = DispatchRow.begin(dispatch.pk, lease)
        row.note_failure(Cancelled(row.dispatch.cancelled_by))
        end(row, Journal(row.dispatch, lease.check))


def dispatch_with_procs(swarm: Swarm) -> Dispatch | None:
    """The swarm's open dispatch, if it deals with procs now: nobody else should, then. One that
    is held does not: what serves beside it may be mended for as long as that takes."""
    opened = open_dispatch(swarm)
    if opened is None or opened.status == DispatchStatus.HELD:
        return None
    return opened if opened.steps.exclude(kind__in=_BEFORE_PROCS).exists() else None


def swarms_with_busy_procs() -> set[int]:
    """The ids of all swarms that have such a dispatch."""
    steps = Step.objects.exclude(kind__in=_BEFORE_PROCS).filter(dispatch__status__in=UNDER_WAY)
    return set(steps.values_list("dispatch__swarm_id", flat=True))


def _size(swarm: Swarm, size: int | None) -> int:
    return swarm.size if size is None else size


def _serving_tag(swarm: Swarm) -> str:
    return swarm.release.build.tag if swarm.release else swarm.tag
