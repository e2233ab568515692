"""`vr events`: what users and tasks did."""

from __future__ import annotations

import json

import click

from vr.cli.output import json_option
from vr.client import Client
from vr.client.documents import EventDocument
from vr.text.terminal import harmless

_HIDDEN = "hidden"


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens from now on.")
@json_option
def events(follow: bool, as_json: bool) -> None:
    """Show the last hundred events; with --json one object a line."""
    client = Client.from_env()
    for event in client.events() if follow else client.past_events():
        if as_json:
            click.echo(json.dumps(event, ensure_ascii=False))
        elif _HIDDEN not in event["tags"]:
            click.echo(harmless(_line(event)))


def _line(event: EventDocument) -> str:
    return f"{event['time'][:19]}  {','.join(event['tags']):<24}  {event['title']}"
