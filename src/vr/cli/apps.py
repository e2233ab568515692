"""`vr apps`: add, list, remove."""

from __future__ import annotations

import click

from vr.cli.groups import DefaultGroup
from vr.cli.output import confirm, json_option, print_json, say, table, yes_option
from vr.client import Client


@click.group(cls=DefaultGroup)
def apps() -> None:
    """Apps: where their code lives and what builds it."""


@apps.command()
@click.argument("name")
@click.argument("repo")
@click.option("--type", "repo_type", type=click.Choice(["git", "hg"]), default="git")
@click.option("--stack", help="What it builds and runs in; the only one, unless told.")
@click.option("--buildpack", help="Builds it without asking; else the first that detects it.")
@click.option("--framework", default="", help="A stager stages it as this, such as sinatra.")
@json_option
def add(
    name: str,
    repo: str,
    repo_type: str,
    stack: str | None,
    buildpack: str | None,
    framework: str,
    as_json: bool,
) -> None:
    """Add an app called NAME, whose code is at REPO (a URL or a folder on the server)."""
    client = Client.from_env()
    if stack is None:
        known = client.objects("stacks")
        stack = known[0]["name"] if len(known) == 1 else None
    made = client.create(
        "apps",
        name=name,
        repo_url=repo,
        repo_type=repo_type,
        stack=stack,
        buildpack=buildpack,
        framework=framework,
    )
    if as_json:
        print_json(made)
        return
    say(f"Added the app {name}. Next: vr swarms add {name} PROC --config-name prod --tag VERSION")


@apps.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List apps."""
    found = Client.from_env().objects("apps")
    if as_json:
        print_json(found)
        return
    table(
        ["app", "repository", "type", "stack", "built by"],
        (
            (
                *(one["name"], one["repo_url"], one["repo_type"]),
                *(
                    (one["stack"] or "").rstrip("/").rpartition("/")[2],
                    one["framework"] or one["buildpack"] or "detected",
                ),
            )
            for one in found
        ),
        empty="There are no apps yet. Add one: vr apps add NAME REPO",
    )


@apps.command()
@click.argument("name")
@yes_option
def remove(name: str, yes: bool) -> None:
    """Remove an app that no swarm uses, with its builds."""
    client = Client.from_env()
    app = client.get("apps", name)
    confirm(f"Remove the app {name}, its builds and its releases?", yes=yes)
    client.remove(app["resource_uri"])
    say(f"Removed the app {name}.")
