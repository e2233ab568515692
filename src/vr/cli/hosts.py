"""`vr hosts`: machines that run procs."""

from __future__ import annotations

import click

from vr.cli.output import json_option
from vr.cli.record_groups import add_record, record_group
from vr.client.documents import Document
from vr.text.durations import duration

hosts = record_group(
    "hosts",
    "Hosts that run procs.",
    ["host", "squad", "active", "procs", "last heard from"],
    lambda one: (
        *(one["name"], _last_part(one["squad"]), "yes" if one["active"] else "no"),
        *(len(one["procs"]), _heard(one["heard_from"])),
    ),
)


def _last_part(path: str | None) -> str:
    return (path or "").rstrip("/").rpartition("/")[2]


def _heard(heard: Document) -> str:
    if heard["age"] is None:
        return "never"
    return f"{duration(heard['age'])} ago{', SILENT' if heard['silent'] else ''}"


@hosts.command("add")
@click.argument("name")
@click.option("--squad", help="The squad that it joins.")
@click.option("--inactive", is_flag=True, help="It gets no procs for now.")
@json_option
def add_host(name: str, squad: str | None, inactive: bool, as_json: bool) -> None:
    """Add a host by its name."""
    add_record("hosts", as_json, name=name, squad=squad, active=not inactive)
