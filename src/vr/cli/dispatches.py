"""`vr swarm`, `rollback`, `scale`: dispatching, and following what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

from vr.cli import patterns
from vr.cli.manner import manner_options
from vr.cli.output import confirm, json_option, print_json, table, yes_option
from vr.cli.starting import (
    Wait,
    exclude_option,
    no_settle_wait_option,
    no_wait_option,
    start_all,
)
from vr.client import Client
from vr.client.documents import DispatchDocument, SwarmDocument
from vr.text.durations import duration


@click.command()
@click.argument("pattern")
@click.argument("version")
@click.option("--size", type=int, help="Run so many procs from now on.")
@exclude_option
@no_wait_option
@no_settle_wait_option
@manner_options
@json_option
def swarm(
    pattern: str,
    version: str,
    size: int | None,
    exclude: str,
    no_wait: bool,
    no_settle_wait: bool,
    as_json: bool,
    **manner: Any,
) -> None:
    """Bring the swarms that begin with PATTERN to VERSION, '-' being the one they have.

    Builds if needed, deploys beside what runs, tests, routes, and only then retires the old
    procs. Exits 1 if one fails; the old version is left as it was then. With --no-settle-wait it
    may still fail afterwards, and go back. What is held gives way to a newer version.
    """
    client = Client.from_env()
    tag = None if version == "-" else version
    found = patterns.swarms(client.swarms(), pattern, exclude)
    wait = Wait.of(no_wait, no_settle_wait)
    _dispatch(client, found, lambda one: client.swarm(one, tag, size, **manner), wait, as_json)


@click.command()
@click.argument("pattern")
@exclude_option
@yes_option
@no_wait_option
@no_settle_wait_option
@manner_options
@json_option
def rollback(
    pattern: str,
    exclude: str,
    yes: bool,
    no_wait: bool,
    no_settle_wait: bool,
    as_json: bool,
    **manner: Any,
) -> None:
    """Bring the swarms that begin with PATTERN back to the release before."""
    client = Client.from_env()
    found = patterns.swarms(client.swarms(), pattern, exclude)
    if len(found) > 1:
        confirm(f"Roll back {_names(found)}?", yes=yes)
    wait = Wait.of(no_wait, no_settle_wait)
    _dispatch(client, found, lambda one: client.rollback(one, **manner), wait, as_json)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("pattern")
@click.argument("size", type=int)
@exclude_option
@yes_option
@no_wait_option
@no_settle_wait_option
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
    wait = Wait.of(no_wait, no_settle_wait)
    _dispatch(client, found, lambda one: client.scale(one, size), wait, as_json)


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


def _dispatch(
    client: Client,
    swarms: Sequence[SwarmDocument],
    start: Callable[[SwarmDocument], str],
    wait: Wait,
    as_json: bool,
) -> None:
    wanted = [(one["name"], partial(start, one)) for one in swarms]
    start_all(client, wanted, wait, as_json=as_json)


def _names(swarms: Sequence[SwarmDocument]) -> str:
    return ", ".join(one["name"] for one in swarms)
