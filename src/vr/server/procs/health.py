"""How procs are: what the caretaker remembers of them, and what their users said."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from vr.server.models import PortLease, ProcHealth


def note_stop(host: str, proc: str) -> None:
    """Its user has stopped it: nobody else starts it again."""
    _note(host, proc, is_stopped=True)


def note_start(host: str, proc: str) -> None:
    """Its user wants it to run."""
    _note(host, proc, is_stopped=False)


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
    for lease in PortLease.objects.filter(host__name=host, proc=proc):
        if row := row_of(lease.pk):
            ProcHealth.objects.filter(pk=row.pk).update(is_stopped=is_stopped)
