"""`vr squads`: groups of hosts that procs are spread over."""

from __future__ import annotations

import click

from vr.cli.output import json_option, say
from vr.cli.progress import Progress, failure_of
from vr.cli.record_groups import add_record, record_group
from vr.client import Client
from vr.errors import FAILED, explain
from vr.text.durations import duration

_rescue_after = click.option(
    "--rescue-after",
    type=click.IntRange(min=0),
    help="Place procs of a host on others after so many seconds of its silence; 0: never.",
)

squads = record_group(
    "squads",
    "Squads of hosts.",
    ["squad", "hosts", "rescue after"],
    lambda one: (
        one["name"],
        ", ".join(host["name"] for host in one["hosts"]) or "none",
        "by hand" if one["rescue_after"] is None else duration(one["rescue_after"]),
    ),
)


@squads.command("add")
@click.argument("name")
@_rescue_after
@json_option
def add_squad(name: str, rescue_after: int | None, as_json: bool) -> None:
    """Add a squad; then hosts to it: vr hosts add HOST --squad NAME."""
    add_record("squads", as_json, name=name, rescue_after=rescue_after or None)


@squads.command("change")
@click.argument("name")
@_rescue_after
def change(name: str, rescue_after: int | None) -> None:
    """Change what is done when a host of the squad falls silent."""
    if rescue_after is None:
        raise click.UsageError("Nothing to change: give --rescue-after.")
    client = Client.from_env()
    found = client.get("squads", name)
    client.change(found["resource_uri"], {"rescue_after": rescue_after or None})
    say(f"Changed the squad {name}.")


@squads.command("rescue")
@click.argument("name")
def rescue(name: str) -> None:
    """Place the procs of the squad's silent hosts on its others, now."""
    client = Client.from_env()
    traces = client.rescue(name)
    if not traces:
        say(f"Nothing to rescue: no swarm of {name} lacks procs because of a silent host.")
        return
    failed = [one for one in Progress(client).follow(traces) if one["status"] != "succeeded"]
    for one in failed:
        say(explain(failure_of(one)))
    if failed:
        raise SystemExit(FAILED)
