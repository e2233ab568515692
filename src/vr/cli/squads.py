"""`vr squads`: groups of hosts that procs are spread over."""

from __future__ import annotations

import click

from vr.cli.output import json_option
from vr.cli.record_groups import add_record, record_group

squads = record_group(
    "squads",
    "Squads of hosts.",
    ["squad", "hosts"],
    lambda one: (one["name"], ", ".join(host["name"] for host in one["hosts"]) or "none"),
)


@squads.command("add")
@click.argument("name")
@json_option
def add_squad(name: str, as_json: bool) -> None:
    """Add a squad; then hosts to it: vr hosts add HOST --squad NAME."""
    add_record("squads", as_json, name=name)
