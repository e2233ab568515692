"""Telling of procs that restart again and again: once when that begins, once when it ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from vr.errors import VelociraptorError
from vr.events.procs import RESTARTING, HostState, Proc
from vr.hosts.log_end import log_end
from vr.server.caretaking.looking import Kept
from vr.server.events.announcing import announce
from vr.server.events.kinds import Kind
from vr.server.hosts import connect
from vr.server.models import PortLease, ProcHealth
from vr.server.procs import health


def tell(kept: Iterable[Kept], states: Mapping[str, HostState]) -> None:
    """Announce loops that began or ended since the last round, as hosts pushed them."""
    procs = {(host, proc["name"]): proc for host, state in states.items() for proc in state.procs}
    for one in kept:
        proc = procs.get((one.host, one.wanted.key.proc))
        # A dispatch tells of its procs itself.
        if proc is None or one.wanted.is_busy:
            continue
        if proc["statename"] == RESTARTING and not one.is_loop_told:
            _tell(
                one,
                Kind.PROC_RESTARTING,
                f"{proc['proc_name']} restarts again and again",
                f"{proc['name']} on {one.host}: {proc['description']}. Its log ends:\n"
                f"{_log_end(one)}",
            )
        elif one.is_loop_told and proc["statename"] != RESTARTING:
            _end(one, proc)


def _end(one: Kept, proc: Proc) -> None:
    # Of one that was given up the caretaker tells itself, and a stop is a user's deed.
    if proc["statename"] == "RUNNING":
        _tell(
            one,
            Kind.PROC_STEADY,
            f"{proc['proc_name']} stays up",
            f"{proc['name']} on {one.host} restarted {proc['restarts']} times, and stays up now.",
        )
    elif proc["statename"] == "STOPPED":
        _note(one, is_told=False)


def _tell(one: Kept, kind: Kind, title: str, message: str) -> None:
    lease = PortLease.objects.select_related("swarm__app").filter(pk=one.lease_id).first()
    if lease is None or lease.swarm is None:
        return
    with transaction.atomic():
        if _note(one, is_told=kind is Kind.PROC_RESTARTING):
            announce(
                f"{lease.swarm.name}: {title}",
                message,
                kind=kind,
                resource_uri=f"/api/v1/swarms/{lease.swarm.pk}/",
            )


def _note(one: Kept, *, is_told: bool) -> bool:
    """False if somebody else has noted it."""
    row = health.row_of(one.lease_id)
    unchanged = ProcHealth.objects.filter(pk=row.pk if row else None, is_loop_told=not is_told)
    return bool(unchanged.update(is_loop_told=is_told))


def _log_end(one: Kept) -> str:
    try:
        return log_end(connect(one.host), one.wanted.key.proc)
    except (VelociraptorError, OSError) as error:
        return f"(it can't be read: {error})"
