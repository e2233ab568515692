"""Celery's tasks of the caretaker. Each may come twice, late or never."""

from __future__ import annotations

from celery import shared_task

from vr.server.jobs.turns import Half

# Hosts that don't answer make deeds last, and nobody's dispatch is to wait for that.
_DEEDS = Half()


@shared_task
def go_round() -> None:
    """Look at all procs; beat sends it."""
    from vr.server.caretaking import rounds

    rounds.go_round()


@shared_task
def care(lease_id: int, deed: str) -> None:
    """Do what a round has decided to the proc that owns the leased port, if there is room for it:
    a later round decides anew."""
    from vr.server.caretaking import deeds
    from vr.server.caretaking.mending import Deed

    with _DEEDS.one() as has_room:
        if has_room:
            deeds.carry_out(lease_id, Deed(deed))


@shared_task
def mend_pools(balancer: str, swarm_ids: list[int]) -> None:
    """Put right the pools that these swarms have in that balancer."""
    from vr.server.caretaking import pool_care

    with _DEEDS.one() as has_room:
        if has_room:
            pool_care.mend_pools(balancer, swarm_ids)
