"""Dispatches that a command starts: followed as far as is wanted, and what came of them told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

import click

from vr.cli.following import follow
from vr.cli.output import print_json, say
from vr.cli.progress import failure_of
from vr.client import ApiError, Client
from vr.client.client import ENDED, HELD
from vr.client.documents import DispatchDocument
from vr.errors import FAILED, explain
from vr.text.durations import duration

exclude_option = click.option(
    "-x", "--exclude", default="", metavar="REGEX", help="Leave out names in which this is found."
)
no_wait_option = click.option("--no-wait", is_flag=True, help="Only start it, don't follow it.")
no_settle_wait_option = click.option(
    "--no-settle-wait",
    is_flag=True,
    help="Follow it until the new version serves, not until it has settled.",
)


class Wait(Enum):
    """How far a dispatch is followed."""

    NOT = "not"
    SERVING = "serving"
    SETTLED = "settled"

    @classmethod
    def of(cls, no_wait: bool, no_settle_wait: bool) -> Wait:
        """What the options mean."""
        if no_wait:
            return cls.NOT
        return cls.SERVING if no_settle_wait else cls.SETTLED


def start_all(
    client: Client,
    wanted: Sequence[tuple[str, Callable[[], str]]],
    wait: Wait,
    *,
    as_json: bool,
) -> None:
    """Start each, given as its swarm's name and what starts it and returns its trace id; follow
    all. What is refused or fails is told at the end, with exit code 1."""
    refusals: list[ApiError] = []
    started: dict[str, str] = {}
    for name, start in wanted:
        try:
            started[start()] = name
        except ApiError as error:
            refusals.append(error)
    if len(wanted) == 1 and refusals:
        raise refusals[0]
    seen: list[DispatchDocument] = []
    if wait is not Wait.NOT:
        seen = follow(client, started, quiet=as_json, settled=wait is Wait.SETTLED)
    if as_json:
        print_json(seen or [{"trace_id": trace_id} for trace_id in started])
    elif wait is Wait.NOT:
        for trace_id in started:
            click.echo(trace_id)
    for latest in seen:
        if latest["status"] not in ENDED:
            say(_how_it_stands(latest))
    failed = [one for one in seen if one["status"] in {"failed", "cancelled"}]
    for problem in [*refusals, *map(failure_of, failed)]:
        say(explain(problem))
    if refusals or failed:
        raise SystemExit(FAILED)


def _how_it_stands(dispatch: DispatchDocument) -> str:
    name, version = dispatch["name"], dispatch["version"]
    if dispatch["status"] == HELD:
        at = f" at {dispatch['preview']}" if dispatch["preview"] else ""
        until = (dispatch["held_until"] or "")[:16].replace("T", " ")
        return (
            f"{name}: {version} is tested, and held until {until} UTC{at}. "
            f"Route it: vr route {name}; take it back: vr cancel {name}"
        )
    return (
        f"{name} serves {version} after {duration(dispatch['seconds'])}. Whether it settles: "
        f"vr dispatches --last {name}"
    )
