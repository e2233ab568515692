"""How procs are: what the caretaker remembers of them, and what their users said."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from vr.server.models import PortLease, ProcHealth, ProcStatus


def note_stop(host: str, proc: str) -> None:
    """Its user has stopped it: nobody else starts it again."""
    _note(host, proc, is_stopped=True)


def note_start(host: str, proc: str) -> None:
    """Its user wants it to run."""
    _note(host, proc, is_stopped=False)


def note_passed(host: str, proc: str, spawn: str) -> None:
    """Its start `spawn` has passed its uptests: it needs no more of them."""
    for row in _rows(host, proc):
        ProcHealth.objects.filter(pk=row.pk).update(**well_since(spawn))


def well_since(spawn: str) -> dict[str, object]:
    """The columns of a proc whose start `spawn` has passed its uptests."""
    return {"status": ProcStatus.WELL, "spawn": spawn, "tries": 0, "due": None}


def row_of(lease_id: int) -> ProcHealth | None:
    """The row of the proc that owns the leased port, made if need be; None if the lease ended."""
    lease = PortLease.objects.filter(pk=lease_id).first()
    if lease is None:
        return None
    try:
        with transaction.atomic():
            return ProcHealth.objects.get_or_create(
                port_lease=lease, defaults={"spawn": lease.spawn}
            )[0]
    except IntegrityError:
        return None


def _note(host: str, proc: str, *, is_stopped: bool) -> None:
    for row in _rows(host, proc):
        ProcHealth.objects.filter(pk=row.pk).update(is_stopped=is_stopped)


def _rows(host: str, proc: str) -> list[ProcHealth]:
    leases = PortLease.objects.filter(host__name=host, proc=proc).values_list("pk", flat=True)
    return [row for pk in leases if (row := row_of(pk))]
