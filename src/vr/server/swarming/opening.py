"""A dispatch is opened: what is asked for is checked, and stored with the swarm, all at once."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from vr.errors import InvalidInput
from vr.server.access.volumes import check_volumes
from vr.server.balancers import balancer_named
from vr.server.builds.choosing import image_of
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.jobs import leases, wake
from vr.server.models import Build, Dispatch, DispatchStatus, Release, Swarm
from vr.server.models.dispatch import OPEN
from vr.server.swarming import pools, superseding
from vr.server.swarming.manner import AT_ONCE, Manner
from vr.server.swarming.own_config import bring_back
from vr.server.swarming.problems import CannotDispatch, SwarmBusy
from vr.specs.names import length_problem, tag_problem


@dataclass(frozen=True)
class Wish:
    """What a swarm is to be brought to.

    `release` (made of `own_config`, if that is known) and `build`: taken as they are, instead of
    what is found for the tag.
    `brings_back_config`: the swarm's own config becomes what the release was made with. `note` is
    to be known of it.
    """

    tag: str
    size: int
    release: Release | None = None
    build: Build | None = None
    own_config: str = ""
    brings_back_config: bool = False
    note: str = ""
    manner: Manner = AT_ONCE


def open_dispatch(swarm: Swarm) -> Dispatch | None:
    """The swarm's dispatch that has not ended yet, if any."""
    return swarm.dispatches.filter(status__in=OPEN).first()


def open_for(swarm: Swarm, wish: Wish, *, user: Any, kind: Kind) -> Dispatch:
    """Store the wish, in the swarm and as a dispatch that is to be begun. One that is held gives
    way to it.

    Raises SwarmBusy while another one is under way, InvalidInput for an impossible tag, size or
    manner, CannotDispatch or CannotBuild for a swarm that can't run.
    """
    busy = open_dispatch(swarm)
    if busy and busy.status != DispatchStatus.HELD:
        raise SwarmBusy(busy)
    _check(swarm, wish)
    if wish.size:
        check_volumes(wish.release or swarm, user)
    held = leases.hold(Dispatch, busy.pk, [DispatchStatus.HELD]) if busy else nullcontext()
    try:
        with held as lease, transaction.atomic():
            if busy and lease is None:
                raise SwarmBusy(busy)
            former = superseding.end_held(busy, lease, wish.tag, user) if busy and lease else None
            opened = _store(swarm, wish, user=user, kind=kind)
            if former:
                superseding.hand_over(former, opened)
    except IntegrityError:
        # Somebody else was a moment earlier: the database allows one open dispatch per swarm.
        swarm.refresh_from_db()
        if busy := open_dispatch(swarm):
            raise SwarmBusy(busy) from None
        raise
    return opened


def _store(swarm: Swarm, wish: Wish, *, user: Any, kind: Kind) -> Dispatch:
    tag, size, release, manner = wish.tag, wish.size, wish.release, wish.manner
    note = wish.note
    swarm.tag, swarm.size = tag, size
    swarm.save(update_fields=["tag", "size"])
    if release and wish.brings_back_config:
        note = bring_back(swarm, release)
    opened = Dispatch.objects.create(
        swarm=swarm,
        user=user if getattr(user, "pk", None) else None,
        tag=tag,
        size=size,
        release=release,
        build=release.build if release else wish.build,
        previous_release=swarm.release,
        own_config=wish.own_config,
        note=note,
        **manner.columns(size),
    )
    user_did(
        user,
        kind,
        f"{swarm.name} → {tag}, size {size}{manner.told}",
        trace_id=opened.trace_id,
        resource_uri=f"/api/v1/swarms/{swarm.pk}/",
    )
    wake.after_commit(wake.DRIVE, opened.pk)
    return opened


def _check(swarm: Swarm, wish: Wish) -> None:
    problems, tag, size = [], wish.tag, wish.size
    if (problem := tag_problem("version", tag)) or (
        problem := length_problem(swarm.app.name, tag, swarm.config_name, swarm.proc_name)
    ):
        problems.append(problem)
    largest = settings.LARGEST_SWARM
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= largest:
        problems.append(f"size: is {size!r}, expected a whole number from 0 to {largest}")
    else:
        problems += wish.manner.problems(size)
        if (wish.manner.batch or wish.manner.canary) and pools.former(swarm):
            problems.append(
                f"pool: was changed, so the procs that serve can't serve beside new ones; move it "
                f"first, without canary and batches: vr swarm {swarm.name} -"
            )
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
