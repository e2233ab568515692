"""Leases: one worker drives a dispatch or a build, and a dead one's work is taken over.

A lease is two columns of the row. It is taken by compare-and-set, renewed by a thread that all
leases of a process share, and may be taken by another once it has lapsed, or at once if its owner
was a process of this machine that is gone.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection, models
from django.utils import timezone

from vr.machine.processes import process

log = logging.getLogger(__name__)

SECONDS = 10.0
_RENEW_SECONDS = 3.0


class LeaseLost(Exception):
    """Another worker may drive this by now: stop at once, and write nothing."""


class Lease:
    """A lease that is held. Made by `hold`."""

    def __init__(self, rows: models.QuerySet[Any], owner: str) -> None:
        self._rows = rows.filter(lease_owner=owner)
        self._owner = owner
        self._good_until = time.monotonic() + SECONDS

    @property
    def rows(self) -> models.QuerySet[Any]:
        """The leased row, as long as it is ours: what is written through it can't overwrite a
        successor's work."""
        return self._rows

    def check(self) -> None:
        """Raise LeaseLost unless the lease is surely ours."""
        if time.monotonic() > self._good_until:
            raise LeaseLost

    def _note_renewed(self, asked: float, *, ours: bool) -> None:
        # Not ours any more: `check` finds out at once.
        self._good_until = asked + SECONDS if ours else 0.0

    def _release(self) -> None:
        self._rows.update(lease_owner="", lease_until=None)


class _Renewer:
    """Renews whatever leases this process holds, by one thread that is there while it has any."""

    def __init__(self) -> None:
        self._held: dict[str, Lease] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_busy = False

    def add(self, lease: Lease) -> None:
        with self._changed:
            self._held[lease._owner] = lease
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="leases")
                self._thread.start()

    def remove(self, lease: Lease) -> None:
        """What is under way for that lease has been written once this returns; what comes later
        finds no row of its owner. Within a transaction nobody waits, as the writing may wait for
        that."""
        with self._changed:
            del self._held[lease._owner]
            self._changed.notify_all()
            if not connection.in_atomic_block:
                self._changed.wait_for(self._is_settled)

    def _is_settled(self) -> bool:
        return self._thread is None or bool(self._held and not self._is_busy)

    def _work(self) -> None:
        while leases := self._due():
            self._renew(leases)

    def _due(self) -> list[Lease]:
        """Those to renew, when it is time; none if there are none left, which ends the thread."""
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._held, _RENEW_SECONDS)
            self._is_busy = bool(self._held)
            if not self._held:
                connection.close()
                self._thread = None
                self._changed.notify_all()
            return list(self._held.values())

    def _renew(self, leases: Sequence[Lease]) -> None:
        by_model: dict[type[models.Model], list[Lease]] = {}
        for lease in leases:
            by_model.setdefault(lease._rows.model, []).append(lease)
        for model, group in by_model.items():
            asked = time.monotonic()
            rows = model._default_manager.filter(lease_owner__in=[one._owner for one in group])
            try:
                rows.update(lease_until=_until())
                ours = set(rows.values_list("lease_owner", flat=True))
            except DatabaseError as error:
                log.warning("leases could not be renewed: %s", error)
                continue
            for lease in group:
                lease._note_renewed(asked, ours=lease._owner in ours)


_RENEWER = _Renewer()


@contextmanager
def hold(
    model: type[models.Model], pk: int | str, open_states: Sequence[str]
) -> Iterator[Lease | None]:
    """Hold the lease of the row `pk`, whose `status` must be one of `open_states`.

    Gives None if another worker has it or nothing is left to do.
    """
    rows = model._default_manager.filter(pk=pk)
    owner = _take(rows.filter(status__in=open_states))
    if owner is None:
        yield None
        return
    lease = Lease(rows, owner)
    _RENEWER.add(lease)
    try:
        yield lease
    finally:
        lease._release()
        _RENEWER.remove(lease)


def lapsed(rows: models.QuerySet[Any]) -> list[Any]:
    """Those of the rows that nobody drives."""
    return [row for row in rows if not _is_held(row.lease_owner, row.lease_until)]


def own(rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Those of the rows that this process holds."""
    return rows.filter(lease_owner__startswith=f"{_this_process()}:")


def _take(rows: models.QuerySet[Any]) -> str | None:
    row = rows.values("lease_owner", "lease_until").first()
    if row is None or _is_held(row["lease_owner"], row["lease_until"]):
        return None
    owner = f"{_this_process()}:{uuid.uuid4().hex[:12]}"
    taken = rows.filter(**row).update(lease_owner=owner, lease_until=_until())
    return owner if taken else None


def _is_held(owner: str, until: Any) -> bool:
    if not owner or until is None or until <= timezone.now():
        return False
    return not _has_died(owner)


def _until() -> Any:
    return timezone.now() + timedelta(seconds=SECONDS)


def _this_process() -> str:
    """Boot, pid namespace, pid and start time: no two processes ever share all four."""
    return f"{_machine()}:{os.getpid()}:{_start_time(os.getpid())}"


def _has_died(owner: str) -> bool:
    """Is the owner a process of this machine that is gone? Unsure means no."""
    machine, _, rest = owner.partition(":")
    pid, _, rest = rest.partition(":")
    started = rest.partition(":")[0]
    if machine != _machine() or not pid.isdigit():
        return False
    return _start_time(int(pid)) != started


def _machine() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:13]
    return f"{boot}.{Path('/proc/self/ns/pid').stat().st_ino}"


def _start_time(pid: int) -> str:
    """In ticks since boot; empty for a process that is gone or a zombie."""
    found = process(pid)
    return "" if found is None or found.has_ended else str(found.started)
