"""A dispatch that is held gives way to a newer one: it is over, and what it placed is the newer
one's, which keeps what it can use and removes the rest, be it successful or not."""

from __future__ import annotations

from typing import Any

from vr.server.jobs import cancelled
from vr.server.jobs.leases import Lease
from vr.server.models import Dispatch
from vr.server.procs import ports
from vr.server.swarming.dispatch_row import DispatchRow
from vr.server.swarming.ending import end_superseded
from vr.server.swarming.journal import Journal
from vr.server.swarming.problems import SwarmBusy


def end_held(dispatch: Dispatch, lease: Lease, tag: str, user: Any) -> Dispatch:
    """End the held dispatch, whose lease is held here, as its swarm is dispatched to `tag`.

    Raises SwarmBusy if it is to be routed or cancelled already. Within a transaction.
    """
    row = DispatchRow.begin(dispatch.pk, lease)
    if row.dispatch.route_asked or row.dispatch.cancel_asked:
        raise SwarmBusy(dispatch)
    end_superseded(row, Journal(row.dispatch, lease.check), tag, cancelled.name_of(user))
    return row.dispatch


def hand_over(former: Dispatch, successor: Dispatch) -> None:
    """Give the successor what the former dispatch has placed. Within the same transaction."""
    ports.hand_over(former, successor)
