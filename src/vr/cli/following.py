"""Following dispatches to their ends; what a Ctrl-C then means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vr.cli.output import say, wants_cancel
from vr.cli.progress import Progress
from vr.client import ApiError, Client
from vr.client.documents import DispatchDocument
from vr.errors import explain


def follow(
    client: Client, started: Mapping[str, str], *, quiet: bool = False, settled: bool = True
) -> list[DispatchDocument]:
    """Show the dispatches `started` (their trace ids, and their swarms' names) until each has
    come as far as Progress says; returns their last documents.

    A Ctrl-C asks whether to cancel them, which is followed, too. Raises KeyboardInterrupt if they
    are to go on, having said how to end them, and after a second Ctrl-C.
    """
    progress = Progress(client, quiet=quiet, settled=settled)
    try:
        return progress.follow(list(started))
    except KeyboardInterrupt:
        if not wants_cancel("the dispatch" if len(started) == 1 else f"all {len(started)}"):
            for name in started.values():
                say(
                    f"{name} goes on without you. See: vr dispatches --last {name}; "
                    f"end it: vr cancel {name}"
                )
            raise
    cancel_all(client, started)
    return follow_cancelled(client, started, quiet=quiet)


def cancel_all(client: Client, traces: Iterable[str]) -> list[ApiError]:
    """Have them undone; says and returns why some can't be."""
    refusals = []
    for trace_id in traces:
        try:
            client.cancel(trace_id)
        except ApiError as error:
            refusals.append(error)
            say(explain(error))
    return refusals


def follow_cancelled(
    client: Client, cancelled: Mapping[str, str], *, quiet: bool
) -> list[DispatchDocument]:
    """As `follow`, to their ends; there is nothing to ask any more."""
    try:
        return Progress(client, quiet=quiet).follow(list(cancelled))
    except KeyboardInterrupt:
        for name in cancelled.values():
            say(f"{name} goes on without you. See: vr dispatches --last {name}")
        raise
