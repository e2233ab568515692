"""`vr route`, `retry`, `cancel`: what can be done to dispatches that were started before."""

from __future__ import annotations

import re
from functools import partial

import click

from vr.cli import patterns
from vr.cli.following import cancel_all, follow_cancelled
from vr.cli.output import confirm, json_option, print_json, yes_option
from vr.cli.starting import (
    Wait,
    exclude_option,
    no_settle_wait_option,
    no_wait_option,
    start_all,
)
from vr.client import Client
from vr.client.client import ENDED, HELD
from vr.client.documents import DispatchDocument
from vr.errors import FAILED, VelociraptorError


@click.command()
@click.argument("what", metavar="PATTERN|TRACE")
@exclude_option
@yes_option
@no_wait_option
@no_settle_wait_option
@json_option
def route(
    what: str, exclude: str, yes: bool, no_wait: bool, no_settle_wait: bool, as_json: bool
) -> None:
    """Test again and route what is held of the swarms that begin with PATTERN, or one dispatch by
    its trace id."""
    client = Client.from_env()
    held = [one for one in _newest(client, what, exclude) if one["status"] == HELD]
    if not held:
        raise VelociraptorError(f"Nothing is held that {what!r} names.")
    if len(held) > 1:
        confirm(f"Route {_names(held)}?", yes=yes)

    def start(trace_id: str) -> str:
        client.route(trace_id)
        return trace_id

    wanted = [(one["name"], partial(start, one["trace_id"])) for one in held]
    start_all(client, wanted, Wait.of(no_wait, no_settle_wait), as_json=as_json)


@click.command()
@click.argument("what", metavar="PATTERN|TRACE")
@exclude_option
@yes_option
@no_wait_option
@no_settle_wait_option
@json_option
def retry(
    what: str, exclude: str, yes: bool, no_wait: bool, no_settle_wait: bool, as_json: bool
) -> None:
    """Try again what failed last of the swarms that begin with PATTERN, or one dispatch by its
    trace id: the same version, size and manner, and the same config if it had come so far."""
    client = Client.from_env()
    failed = [
        one
        for one in _newest(client, what, exclude, but_reverts=True)
        if one["status"] in {"failed", "cancelled"}
    ]
    if not failed:
        raise VelociraptorError(f"Nothing has failed last that {what!r} names.")
    if len(failed) > 1:
        confirm(f"Try again {_names(failed)}?", yes=yes)
    wanted = [(one["name"], partial(client.retry, one["trace_id"])) for one in failed]
    start_all(client, wanted, Wait.of(no_wait, no_settle_wait), as_json=as_json)


@click.command()
@click.argument("what", metavar="PATTERN|TRACE")
@exclude_option
@yes_option
@no_wait_option
@json_option
def cancel(what: str, exclude: str, yes: bool, no_wait: bool, as_json: bool) -> None:
    """Cancel what is being done to the swarms that begin with PATTERN, or one dispatch by its
    trace id: what it did is undone, and what served before goes on."""
    client = Client.from_env()
    opened = [one for one in _newest(client, what, exclude) if one["status"] not in ENDED]
    if not opened:
        raise VelociraptorError(f"Nothing is being dispatched that {what!r} names.")
    if len(opened) > 1:
        confirm(f"Cancel {_names(opened)}?", yes=yes)
    named = {one["trace_id"]: one["name"] for one in opened}
    refusals = cancel_all(client, named)
    seen: list[DispatchDocument] = []
    if not no_wait:
        seen = follow_cancelled(client, named, quiet=as_json)
    if as_json:
        print_json(seen or [{"trace_id": trace_id} for trace_id in named])
    if refusals:
        raise SystemExit(FAILED)


def _newest(
    client: Client, what: str, exclude: str, *, but_reverts: bool = False
) -> list[DispatchDocument]:
    """The dispatch of that trace id, or the newest one of each swarm that `what` names; on demand
    not one that takes another back."""
    if re.fullmatch("[0-9a-f]{32}", what):
        return [client.dispatch(what)]
    swarms = patterns.swarms(client.swarms(), what, exclude)
    found = [client.dispatches(swarm, limit=2) for swarm in swarms]
    wanted = [[one for one in both if not (but_reverts and one["reverts"])] for both in found]
    return [one for both in wanted for one in both[:1]]


def _names(dispatches: list[DispatchDocument]) -> str:
    return ", ".join(one["name"] for one in dispatches)
