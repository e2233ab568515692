"""Is a build still wanted? Whoever builds it looks, as somebody may have cancelled it."""

from __future__ import annotations

import threading
from types import TracebackType

from django.db import DatabaseError, connection

from vr.errors import Unwanted
from vr.server.jobs import cancelled
from vr.server.jobs.leases import Lease

_LOOK_SECONDS = 1.0


class BuildCancelled(Unwanted):
    """Somebody has cancelled the build."""

    def __init__(self, by: str) -> None:
        super().__init__(cancelled.sentence(by))


class Wanted:
    """Watches in a thread of its own, within a `with` block, whether the leased build is wanted.

    `check` raises BuildCancelled once it isn't; it never waits, and any thread may call it.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._by: str | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="wanted", daemon=True)

    def check(self) -> None:
        if self._by is not None:
            raise BuildCancelled(self._by)

    def __enter__(self) -> Wanted:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        try:
            while not self._ended.wait(_LOOK_SECONDS) and self._by is None:
                try:
                    self._look()
                except DatabaseError:
                    continue
        finally:
            connection.close()

    def _look(self) -> None:
        rows = self._lease.rows.filter(cancel_asked__isnull=False)
        self._by = rows.values_list("cancelled_by", flat=True).first()
