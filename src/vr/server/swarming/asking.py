"""What users ask of a swarm, as API and pages call it: check, store the intent, wake a worker.

Every function returns at once; progress is in the returned row, its steps and its events.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from vr.errors import InvalidInput
from vr.server.access.volumes import check_volumes
from vr.server.balancers import balancer_named
from vr.server.builds.choosing import image_of
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.jobs import cancelled, leases, wake
from vr.server.models import Dispatch, DispatchStatus, Release, Step, StepKind, Swarm
from vr.server.models.dispatch import OPEN
from vr.server.swarming.dispatch_row import DispatchRow
from vr.server.swarming.ending import end
from vr.server.swarming.journal import Journal, milestones_of
from vr.server.swarming.own_config import bring_back
from vr.server.swarming.plan_types import Milestone
from vr.server.swarming.problems import (
    Cancelled,
    CannotCancel,
    CannotDispatch,
    NothingToRollBackTo,
    SwarmBusy,
)
from vr.server.swarming.releases import previous_release
from vr.specs.names import length_problem, tag_problem

_BEFORE_PROCS = (StepKind.BUILD, StepKind.RELEASE)


def dispatch(
    swarm: Swarm, *, user: Any, tag: str | None = None, size: int | None = None
) -> Dispatch:
    """Bring `swarm` to `tag` (None or "-": the one it has) and `size` (None: as it is).

    Stores both in the swarm and queues the work. Raises SwarmBusy while another dispatch of
    the swarm is open, InvalidInput for an impossible tag or size, CannotDispatch or CannotBuild
    for a swarm that can't run: squad without active hosts, unknown balancer, stack without image.
    """
    tag = swarm.tag if tag in {None, "", "-"} else str(tag)
    return _open(swarm, user=user, kind=Kind.USER_SWARMED, tag=tag, size=size)


def rollback(swarm: Swarm, *, user: Any) -> Dispatch:
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
    return _open(
        swarm,
        user=user,
        kind=Kind.USER_ROLLED_BACK,
        tag=release.build.tag,
        release=release,
        brings_back_config=True,
    )


def scale(swarm: Swarm, size: int, *, user: Any) -> Dispatch:
    """Run `size` procs of what the swarm runs now, be its config edited since or not.

    Raises what `dispatch` raises.
    """
    release = swarm.release
    tag = release.build.tag if release else swarm.tag
    return _open(swarm, user=user, kind=Kind.USER_SCALED, tag=tag, size=size, release=release)


def rescue(swarm: Swarm, *, user: Any, why: str) -> Dispatch:
    """Bring what the swarm runs now to its size again, on hosts that answer: procs of others are
    placed anew, and what is too many is retired. `why` is noted.

    Raises what `dispatch` raises.
    """
    release = swarm.release
    tag = release.build.tag if release else swarm.tag
    return _open(swarm, user=user, kind=Kind.USER_RESCUED, tag=tag, release=release, note=why)


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
            row.save(update_fields=["cancel_asked", "cancelled_by"])
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
    if Milestone.COMMITTED in milestones_of(dispatch):
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


def open_dispatch(swarm: Swarm) -> Dispatch | None:
    """The swarm's dispatch that has not ended yet, if any."""
    return swarm.dispatches.filter(status__in=OPEN).first()


def dispatch_with_procs(swarm: Swarm) -> Dispatch | None:
    """The swarm's open dispatch, if it deals with procs by now: nobody else should, then."""
    opened = open_dispatch(swarm)
    return opened if opened and opened.steps.exclude(kind__in=_BEFORE_PROCS).exists() else None


def swarms_with_busy_procs() -> set[int]:
    """The ids of all swarms that have such a dispatch."""
    steps = Step.objects.exclude(kind__in=_BEFORE_PROCS).filter(dispatch__status__in=OPEN)
    return set(steps.values_list("dispatch__swarm_id", flat=True))


def _open(
    swarm: Swarm,
    *,
    user: Any,
    kind: Kind,
    tag: str,
    size: int | None = None,
    release: Release | None = None,
    brings_back_config: bool = False,
    note: str = "",
) -> Dispatch:
    size = swarm.size if size is None else size
    if busy := open_dispatch(swarm):
        raise SwarmBusy(busy)
    _check(swarm, tag, size)
    if size:
        check_volumes(release or swarm, user)
    try:
        with transaction.atomic():
            swarm.tag, swarm.size = tag, size
            swarm.save(update_fields=["tag", "size"])
            if release and brings_back_config:
                note = bring_back(swarm, release)
            opened = Dispatch.objects.create(
                swarm=swarm,
                user=user if getattr(user, "pk", None) else None,
                tag=tag,
                size=size,
                release=release,
                build=release.build if release else None,
                previous_release=swarm.release,
                note=note,
            )
            user_did(
                user,
                kind,
                f"{swarm.name} → {tag}, size {size}",
                trace_id=opened.trace_id,
                resource_uri=f"/api/v1/swarms/{swarm.pk}/",
            )
            wake.after_commit(wake.DRIVE, opened.pk)
    except IntegrityError:
        # Somebody else was a moment earlier: the database allows one open dispatch per swarm.
        swarm.refresh_from_db()
        if busy := open_dispatch(swarm):
            raise SwarmBusy(busy) from None
        raise
    return opened


def _check(swarm: Swarm, tag: str, size: int) -> None:
    problems = []
    if (problem := tag_problem("version", tag)) or (
        problem := length_problem(swarm.app.name, tag, swarm.config_name, swarm.proc_name)
    ):
        problems.append(problem)
    largest = settings.LARGEST_SWARM
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= largest:
        problems.append(f"size: is {size!r}, expected a whole number from 0 to {largest}")
    if problems:
        raise InvalidInput(f"swarm {swarm.name}", problems)
    _check_balancer(swarm)
    if size == 0:
        return
    image_of(swarm.app)
    if not swarm.squad.hosts.filter(active=True).exists():
        raise CannotDispatch(
            f"The squad {swarm.squad.name!r} of {swarm.name} has no active hosts.",
            hint="Add a host to the squad, or set one of its hosts active.",
        )


def _check_balancer(swarm: Swarm) -> None:
    if not swarm.pool:
        return
    if sentence := swarm.why_not_its_name():
        raise CannotDispatch(f"{swarm.name} can't be dispatched: {sentence}")
    known = sorted(settings.BALANCERS)
    if swarm.balancer not in known:
        what = f"the balancer {swarm.balancer!r}" if swarm.balancer else "no balancer"
        raise CannotDispatch(
            f"{swarm.name} routes to the pool {swarm.pool!r} with {what}, which is not set up.",
            hint=f"Choose one of: {', '.join(known) or 'none is configured'}.",
        )
    if swarm.passing and not balancer_named(swarm.balancer).knows_passing:
        raise CannotDispatch(
            f"{swarm.name} has times or sizes of its own, but its balancer {swarm.balancer!r} "
            "can't give a pool such.",
            hint="Empty its read timeout, body size and header size, and set them there.",
        )
    if sentence := swarm.why_not_its_pool():
        raise CannotDispatch(f"{swarm.name} can't be dispatched: {sentence}")
