"""`vr swarm`, `rollback`, `scale`: dispatching, and following what comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum

import click

from vr.cli import patterns
from vr.cli.following import cancel_all, follow, follow_cancelled
from vr.cli.output import confirm, json_option, print_json, say, table, yes_option
from vr.cli.progress import failure_of
from vr.client import ApiError, Client
from vr.client.client import ENDED
from vr.client.documents import DispatchDocument, SwarmDocument
from vr.errors import FAILED, VelociraptorError, explain
from vr.text.durations import duration

_no_wait = click.option("--no-wait", is_flag=True, help="Only start it, don't follow it.")
_no_settle_wait = click.option(
    "--no-settle-wait",
    is_flag=True,
    help="Follow it until the new version serves, not until it has settled.",
)
_exclude = click.option(
    "-x", "--exclude", default="", metavar="REGEX", help="Leave out names in which this is found."
)


@click.command()
@click.argument("pattern")
@click.argument("version")
@click.option("--size", type=int, help="Run so many procs from now on.")
@_exclude
@_no_wait
@_no_settle_wait
@json_option
def swarm(
    pattern: str,
    version: str,
    size: int | None,
    exclude: str,
    no_wait: bool,
    no_settle_wait: bool,
    as_json: bool,
) -> None:
    """Bring the swarms that begin with PATTERN to VERSION, '-' being the one they have.

    Builds if needed, deploys beside what runs, tests, routes, and only then retires the old
    procs. Exits 1 if one fails; the old version is left as it was then. With --no-settle-wait it
    may still fail afterwards, and go back.
    """
    client = Client.from_env()
    tag = None if version == "-" else version
    found = patterns.swarms(client.swarms(), pattern, exclude)
    wait = _wait(no_wait, no_settle_wait)
    _dispatch(client, found, lambda one: client.swarm(one, tag, size), wait, as_json)


@click.command()
@click.argument("pattern")
@_exclude
@yes_option
@_no_wait
@_no_settle_wait
@json_option
def rollback(
    pattern: str, exclude: str, yes: bool, no_wait: bool, no_settle_wait: bool, as_json: bool
) -> None:
    """Bring the swarms that begin with PATTERN back to the release before."""
    client = Client.from_env()
    found = patterns.swarms(client.swarms(), pattern, exclude)
    if len(found) > 1:
        confirm(f"Roll back {_names(found)}?", yes=yes)
    _dispatch(client, found, client.rollback, _wait(no_wait, no_settle_wait), as_json)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("pattern")
@click.argument("size", type=int)
@_exclude
@yes_option
@_no_wait
@_no_settle_wait
@json_option
def scale(
    pattern: str,
    size: int,
    exclude: str,
    yes: bool,
    no_wait: bool,
    no_settle_wait: bool,
    as_json: bool,
) -> None:
    """Run SIZE procs of each swarm that begins with PATTERN."""
    client = Client.from_env()
    found = patterns.swarms(client.swarms(), pattern, exclude)
    if len(found) > 1:
        confirm(f"Scale {_names(found)} to {size} each?", yes=yes)
    wait = _wait(no_wait, no_settle_wait)
    _dispatch(client, found, lambda one: client.scale(one, size), wait, as_json)


@click.command()
@click.argument("what", metavar="PATTERN|TRACE")
@_exclude
@yes_option
@_no_wait
@json_option
def cancel(what: str, exclude: str, yes: bool, no_wait: bool, as_json: bool) -> None:
    """Cancel what is being done to the swarms that begin with PATTERN, or one dispatch by its
    trace id: what it did is undone, and what served before goes on."""
    client = Client.from_env()
    opened = _open_dispatches(client, what, exclude)
    if not opened:
        raise VelociraptorError(f"Nothing is being dispatched that {what!r} names.")
    if len(opened) > 1:
        confirm(f"Cancel {', '.join(one['name'] for one in opened)}?", yes=yes)
    named = {one["trace_id"]: one["name"] for one in opened}
    refusals = cancel_all(client, named)
    seen: list[DispatchDocument] = []
    if not no_wait:
        seen = follow_cancelled(client, named, quiet=as_json)
    if as_json:
        print_json(seen or [{"trace_id": trace_id} for trace_id in named])
    if refusals:
        raise SystemExit(FAILED)


def _open_dispatches(client: Client, what: str, exclude: str) -> list[DispatchDocument]:
    if re.fullmatch("[0-9a-f]{32}", what):
        found = [client.dispatch(what)]
    else:
        swarms = patterns.swarms(client.swarms(), what, exclude)
        found = [one for swarm in swarms for one in client.dispatches(swarm, limit=1)]
    return [one for one in found if one["status"] not in ENDED]


@click.command()
@click.argument("pattern")
@click.option("--last", is_flag=True, help="Show the steps of each swarm's last one.")
@json_option
def dispatches(pattern: str, last: bool, as_json: bool) -> None:
    """Show the latest dispatches of the swarms that begin with PATTERN."""
    client = Client.from_env()
    found = patterns.swarms(client.swarms(), pattern)
    history = [one for swarm in found for one in client.dispatches(swarm, limit=1 if last else 20)]
    if last:
        _show_steps(history, as_json)
        return
    if as_json:
        print_json(history)
        return
    table(
        ["swarm", "version", "size", "status", "took", "when (UTC)", "by", "why"],
        (
            (
                *(one["name"], one["version"], one["size"], one["status"]),
                *(duration(one["seconds"]), one["created"][:19], one["user"], one["error"]),
            )
            for one in history
        ),
        empty=f"Nothing was dispatched yet. Try: vr swarm {found[0]['name']} -",
    )


def _show_steps(history: Sequence[DispatchDocument], as_json: bool) -> None:
    steps = [(one, step) for one in history for step in one["steps"]]
    if as_json:
        print_json([{"swarm": one["name"], **step} for one, step in steps])
        return
    table(
        ["swarm", "version", "step", "status", "took", "message"],
        (
            (
                *(one["name"], one["version"], step["kind"], step["status"]),
                *(duration(step["seconds"]), step["message"]),
            )
            for one, step in steps
        ),
        empty="No step was taken yet.",
    )


class _Wait(Enum):
    """How far a dispatch is followed."""

    NOT = "not"
    SERVING = "serving"
    SETTLED = "settled"


def _wait(no_wait: bool, no_settle_wait: bool) -> _Wait:
    if no_wait:
        return _Wait.NOT
    return _Wait.SERVING if no_settle_wait else _Wait.SETTLED


def _dispatch(
    client: Client,
    swarms: Sequence[SwarmDocument],
    start: Callable[[SwarmDocument], str],
    wait: _Wait,
    as_json: bool,
) -> None:
    """Start each, follow all; what is refused or fails is told at the end, with exit code 1."""
    refusals: list[ApiError] = []
    started: dict[str, str] = {}
    for one in swarms:
        try:
            started[start(one)] = one["name"]
        except ApiError as error:
            refusals.append(error)
    if len(swarms) == 1 and refusals:
        raise refusals[0]
    seen: list[DispatchDocument] = []
    if wait is not _Wait.NOT:
        seen = follow(client, started, quiet=as_json, settled=wait is _Wait.SETTLED)
    if as_json:
        print_json(seen or [{"trace_id": trace_id} for trace_id in started])
    elif wait is _Wait.NOT:
        for trace_id in started:
            click.echo(trace_id)
    for latest in seen:
        if latest["status"] not in ENDED:
            say(
                f"{latest['name']} serves {latest['version']} after "
                f"{duration(latest['seconds'])}. Whether it settles: "
                f"vr dispatches --last {latest['name']}"
            )
    failed = [one for one in seen if one["status"] in {"failed", "cancelled"}]
    for problem in [*refusals, *map(failure_of, failed)]:
        say(explain(problem))
    if refusals or failed:
        raise SystemExit(FAILED)


def _names(swarms: Sequence[SwarmDocument]) -> str:
    return ", ".join(one["name"] for one in swarms)
