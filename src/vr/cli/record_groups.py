"""What `vr squads`, `hosts`, `stacks`, `buildpacks` and `ingredients` have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from vr.cli.groups import DefaultGroup
from vr.cli.output import confirm, json_option, print_json, say, table, yes_option
from vr.client import Client
from vr.client.documents import Document
from vr.text.plurals import with_article

Row = Callable[[Document], Sequence[object]]


def record_group(
    resource: str,
    help_text: str,
    columns: Sequence[str],
    row: Row,
    *,
    removable: bool = True,
) -> click.Group:
    """A group with `list` and, if `removable`, `remove`; `add` differs by resource."""
    noun = resource.rstrip("s")

    @click.group(resource, cls=DefaultGroup, help=help_text)
    def group() -> None:
        pass

    @group.command("list", help=f"List {resource}.")
    @json_option
    def list_(as_json: bool) -> None:
        found = Client.from_env().objects(resource)
        if as_json:
            print_json(found)
            return
        empty = f"There are no {resource} yet. Add one: vr {resource} add --help"
        table(columns, map(row, found), empty=empty)

    if not removable:
        return group

    @group.command("remove", help=f"Remove {with_article(noun)} that nothing needs.")
    @click.argument("name")
    @yes_option
    def remove(name: str, yes: bool) -> None:
        client = Client.from_env()
        doomed = client.get(resource, name)
        confirm(f"Remove the {noun} {name}?", yes=yes)
        client.remove(doomed["resource_uri"])
        say(f"Removed the {noun} {name}.")

    return group


def add_record(resource: str, as_json: bool, **data: Any) -> None:
    """Add a record with `data`, and say so."""
    made = Client.from_env().create(resource, **data)
    if as_json:
        print_json(made)
    else:
        say(f"Added the {resource.rstrip('s')} {made.get('name') or made['repo_url']}.")
