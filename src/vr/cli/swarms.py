"""`vr swarms` and `vr list-swarms`: what shall run, where, how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from vr.cli import patterns
from vr.cli.following import follow
from vr.cli.groups import DefaultGroup
from vr.cli.output import confirm, json_option, print_json, say, table, yes_option
from vr.cli.progress import failure_of
from vr.cli.swarm_options import document, swarm_options
from vr.client import Client
from vr.client.documents import Document, ProcDocument, SwarmDocument
from vr.errors import USAGE, VelociraptorError

_NONE_YET = "There are no swarms yet. Add one: vr swarms add APP PROC --config-name prod --tag V"


@click.group(cls=DefaultGroup)
def swarms() -> None:
    """Swarms: what shall run, where, how often."""


@swarms.command()
@click.argument("app")
@click.argument("proc")
@click.option("--config-name", required=True, help="Names this configuration, such as prod.")
@swarm_options
@json_option
def add(app: str, proc: str, config_name: str, as_json: bool, **given: Any) -> None:
    """Add a swarm that runs PROC (a name in the Procfile) of APP. Nothing runs until `vr swarm`."""
    client = Client.from_env()
    if given["version"] is None:
        raise click.UsageError("Missing option '--tag'.")
    made = document(given)
    # Defaults are asked for only where they are needed: there need not be one.
    if "squad" not in made:
        made["squad"] = _only_squad(client)
    if made.get("pool") and "balancer" not in made:
        made["balancer"] = _default_balancer(client)
    swarm = client.create("swarms", app=app, proc_name=proc, config_name=config_name, **made)
    if as_json:
        print_json(swarm)
        return
    say(f"Added the swarm {swarm['name']}. Start it: vr swarm {swarm['name']} {swarm['version']}")


@swarms.command("set")
@click.argument("pattern")
@swarm_options
@json_option
def set_(pattern: str, as_json: bool, **given: Any) -> None:
    """Change what swarms are; they run so after the next `vr swarm PATTERN -`."""
    client = Client.from_env()
    found = patterns.swarms(client.swarms(), pattern)
    for swarm in found:
        made = document(given, env_before=swarm["env_yaml"])
        if not made:
            raise click.UsageError("Nothing to change: give at least one option.")
        if made.get("pool") and "balancer" not in made and not swarm["balancer"]:
            made["balancer"] = _default_balancer(client)
        client.change(swarm["resource_uri"], made)
    if as_json:
        print_json([client.read(swarm["resource_uri"]) for swarm in found])
        return
    for swarm in found:
        say(f"Changed {swarm['name']}. To run it so: vr swarm {swarm['name']} -")


@swarms.command()
@click.argument("pattern")
@yes_option
def remove(pattern: str, yes: bool) -> None:
    """Stop all procs of the swarms that begin with PATTERN, and remove them."""
    client = Client.from_env()
    found = patterns.swarms(client.swarms(), pattern)
    names = ", ".join(swarm["name"] for swarm in found)
    confirm(f"Stop all procs of {names}, and remove the swarms?", yes=yes)
    for swarm in found:
        if swarm["procs"]:
            (ended,) = follow(client, {client.scale(swarm, 0): swarm["name"]})
            if ended["status"] != "succeeded":
                raise failure_of(ended)
        client.remove(swarm["resource_uri"])
        say(f"Removed {swarm['name']}.")


@swarms.command("list")
@click.argument("pattern", default="")
@json_option
def list_(pattern: str, as_json: bool) -> None:
    """List the swarms that begin with PATTERN."""
    _list(pattern, as_json)


@click.command("list-swarms")
@click.argument("pattern", default="")
@json_option
def list_swarms(pattern: str, as_json: bool) -> None:
    """List the swarms that begin with PATTERN, all without one."""
    _list(pattern, as_json)


def _list(pattern: str, as_json: bool) -> None:
    found: Sequence[SwarmDocument] = Client.from_env().swarms()
    if pattern:
        found = patterns.swarms(found, pattern)
    if as_json:
        print_json(found)
        return
    table(
        ["swarm", "version", "squad", "size", "procs", "pool", "under way"],
        (
            (
                *(one["name"], one["version"], one["squad_name"], one["size"]),
                *(health(one["procs"]), one["pool"], _under_way(one)),
            )
            for one in found
        ),
        empty=_NONE_YET,
    )


def _under_way(swarm: SwarmDocument) -> str:
    """`v2 held`: what it is being brought to, and how far that is."""
    found = swarm["under_way"]
    return f"{found['version']} {found['status']}" if found else ""


def health(procs: Sequence[ProcDocument]) -> str:
    """`2 running`, `1 fatal, 1 running`; what silent hosts last said is called unknown."""
    states = Counter("unknown" if one["silent"] else one["statename"].lower() for one in procs)
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"


def _only_squad(client: Client) -> str:
    """The squad that is meant when none is named."""
    known = client.objects("squads")
    usable = [one for one in known if any(host["active"] for host in one["hosts"])]
    if len(usable) == 1:
        return str(usable[0]["name"])
    names = ", ".join(one["name"] for one in known)
    hint = f"There are: {names}." if names else "Make one: vr squads add NAME"
    error = VelociraptorError("Which squad? Name one with --squad.", hint=hint)
    error.exit_code = USAGE
    raise error


def _default_balancer(client: Client) -> str | None:
    known: list[Document] = client.objects("balancers")
    return next((one["name"] for one in known if one["default"]), None)
