"""`vr strays`: procs that are called like ours and belong to no swarm."""

from __future__ import annotations

import click

from vr.cli import patterns
from vr.cli.groups import DefaultGroup
from vr.cli.output import confirm, json_option, print_json, say, table, yes_option
from vr.cli.procs import say_silent
from vr.client import ApiError, Client
from vr.client.documents import FOREIGN, ProcDocument
from vr.errors import FAILED, explain
from vr.text.plurals import counted


@click.group(cls=DefaultGroup)
def strays() -> None:
    """List procs that belong to no swarm: vr strays. Or remove them."""


@strays.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List strays, as their hosts last pushed them."""
    found = _strays(Client.from_env())
    if as_json:
        print_json(found)
        return
    table(
        ["host", "proc", "port", "state"],
        (
            (
                *(one["host"], one["name"], one["port"] or ""),
                "UNKNOWN" if one["silent"] else one["statename"],
            )
            for one in found
        ),
        empty="No strays are known: each proc belongs to a swarm.",
    )


@strays.command("remove")
@click.argument("pattern")
@yes_option
def remove(pattern: str, yes: bool) -> None:
    """Stop and remove the strays that begin with PATTERN. Procs of swarms are left alone."""
    client = Client.from_env()
    found = patterns.procs(_strays(client), pattern)
    names = ", ".join(f"{one['name']} on {one['host']}" for one in found)
    confirm(f"Remove {counted(len(found), 'stray')}: {names}?", yes=yes)
    failed = False
    for one in found:
        try:
            client.remove_proc(one)
        except ApiError as error:
            failed = True
            say(explain(error))
        else:
            say(f"Removed {one['name']} from {one['host']}.")
    if failed:
        raise SystemExit(FAILED)


def _strays(client: Client) -> list[ProcDocument]:
    hosts = client.objects("hosts")
    say_silent(hosts)
    procs: list[ProcDocument] = [proc for host in hosts for proc in host["procs"]]
    return [one for one in procs if one["swarm"] is None and one["version"] != FOREIGN]
