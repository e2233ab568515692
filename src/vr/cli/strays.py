"""`vr strays`: procs that are called like ours and belong to no swarm."""

from __future__ import annotations

from collections.abc import Sequence

import click

from vr.cli import patterns
from vr.cli.groups import DefaultGroup
from vr.cli.output import confirm, json_option, print_json, say, table, yes_option
from vr.cli.procs import say_silent
from vr.client import ApiError, Client
from vr.client.documents import FOREIGN, ProcDocument, SwarmDocument
from vr.errors import FAILED, explain
from vr.text.plurals import counted


@click.group(cls=DefaultGroup)
def strays() -> None:
    """List procs that belong to no swarm: vr strays. Or adopt or remove them."""


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


@strays.command("adopt")
@click.argument("pattern")
@click.option("--swarm", "to", help="The swarm that gets them, by its name.")
@yes_option
def adopt(pattern: str, to: str | None, yes: bool) -> None:
    """Give the strays that begin with PATTERN to a swarm; what runs is not touched.

    Without --swarm each goes to the swarm that is called like it. Where there is none, one is made
    of the release that the stray runs.
    """
    client = Client.from_env()
    found = patterns.procs(_strays(client), pattern)
    swarm = _swarm(client, to) if to else None
    whose = swarm["name"] if swarm else "the swarms that are called like them"
    confirm(f"Give {counted(len(found), 'stray')} to {whose}: {_names(found)}?", yes=yes)
    adopted = {}
    failed = False
    for one in found:
        try:
            owner = client.adopt(one, swarm)
        except ApiError as error:
            failed = True
            say(explain(error))
        else:
            adopted[owner["name"]] = owner
            say(f"{one['name']} on {one['host']} is a proc of {owner['name']} now.")
    for name in adopted:
        say(f"Dispatch it to let it test and route what it owns: vr swarm {name} -")
    if failed:
        raise SystemExit(FAILED)


@strays.command("remove")
@click.argument("pattern")
@yes_option
def remove(pattern: str, yes: bool) -> None:
    """Stop and remove the strays that begin with PATTERN. Procs of swarms are left alone."""
    client = Client.from_env()
    found = patterns.procs(_strays(client), pattern)
    confirm(f"Remove {counted(len(found), 'stray')}: {_names(found)}?", yes=yes)
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


def _swarm(client: Client, name: str) -> SwarmDocument:
    found = patterns.swarms(client.swarms(), name)
    if len(found) > 1:
        raise click.UsageError(
            f"{name!r} means {counted(len(found), 'swarm')}: "
            f"{', '.join(swarm['name'] for swarm in found)}. Name one of them."
        )
    return found[0]


def _names(found: Sequence[ProcDocument]) -> str:
    return ", ".join(f"{one['name']} on {one['host']}" for one in found)


def _strays(client: Client) -> list[ProcDocument]:
    hosts = client.objects("hosts")
    say_silent(hosts)
    procs: list[ProcDocument] = [proc for host in hosts for proc in host["procs"]]
    return [one for one in procs if one["swarm"] is None and one["version"] != FOREIGN]
