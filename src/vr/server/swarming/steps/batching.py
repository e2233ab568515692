"""NextBatch: what came with a batch is in service for good, and the next one begins."""

from __future__ import annotations

from django.db import transaction

from vr.server.events.kinds import Kind
from vr.server.swarming.dispatch_row import DispatchRow
from vr.server.swarming.journal import Journal


def end_batch(row: DispatchRow, batched: int, journal: Journal) -> None:
    """Let the dispatch begin its next batch, all at once; `batched` procs of it serve by now."""
    dispatch = row.dispatch
    with transaction.atomic():
        row.end_batch(batched)
        journal.forget_batch()
        journal.event(
            f"{journal.swarm} → {dispatch.tag}: {batched} of {dispatch.size} in service",
            f"The next batch is of {min(dispatch.batch, dispatch.size - batched)}.",
            kind=Kind.BATCH_DONE,
        )
