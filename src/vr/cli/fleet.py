"""`vr squads`, `hosts`, `stacks`, `buildpacks`, `ingredients`: what swarms stand on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from vr.cli.groups import DefaultGroup
from vr.cli.output import confirm, json_option, print_json, say, table, yes_option
from vr.cli.settings import environment
from vr.client import Client
from vr.client.documents import Document
from vr.text.plurals import with_article

Row = Callable[[Document], Sequence[object]]


def _group(resource: str, help_text: str, columns: Sequence[str], row: Row) -> click.Group:
    """A group with `list` and `remove`; `add` differs by resource."""
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


def _added(resource: str, as_json: bool, **data: Any) -> None:
    made = Client.from_env().create(resource, **data)
    if as_json:
        print_json(made)
    else:
        say(f"Added the {resource.rstrip('s')} {made.get('name') or made['repo_url']}.")


def _last_part(path: str | None) -> str:
    return (path or "").rstrip("/").rpartition("/")[2]


squads = _group(
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
    _added("squads", as_json, name=name)


hosts = _group(
    "hosts",
    "Hosts that run procs.",
    ["host", "squad", "active", "procs", "last heard from"],
    lambda one: (
        *(one["name"], _last_part(one["squad"]), "yes" if one["active"] else "no"),
        *(len(one["procs"]), _heard(one["heard_from"])),
    ),
)


def _heard(heard: Document) -> str:
    if heard["age"] is None:
        return "never"
    return f"{heard['age']:.0f} s ago{', SILENT' if heard['silent'] else ''}"


@hosts.command("add")
@click.argument("name")
@click.option("--squad", help="The squad that it joins.")
@click.option("--inactive", is_flag=True, help="It gets no procs for now.")
@json_option
def add_host(name: str, squad: str | None, inactive: bool, as_json: bool) -> None:
    """Add a host by its name."""
    _added("hosts", as_json, name=name, squad=squad, active=not inactive)


stacks = _group(
    "stacks",
    "Stacks: what apps build and run in.",
    ["stack", "active image", "description"],
    lambda one: (one["name"], one["active_image"] or "none", one["desc"]),
)


@stacks.command("add")
@click.argument("name")
@click.option("--desc", default="", help="What it is for.")
@click.option("--base-image-url", help="Tarball that its images begin with.")
@json_option
def add_stack(name: str, desc: str, base_image_url: str | None, as_json: bool) -> None:
    """Add a stack; apps can use it once it has an active image."""
    _added("stacks", as_json, name=name, desc=desc, base_image_url=base_image_url)


buildpacks = _group(
    "buildpacks",
    "Buildpacks, in order of detection.",
    ["order", "repository", "type", "description"],
    lambda one: (one["order"], one["repo_url"], one["repo_type"], one["desc"]),
)


@buildpacks.command("add")
@click.argument("repo")
@click.option("--type", "repo_type", type=click.Choice(["git", "hg"]), default="git")
@click.option("--desc", default="", help="What it builds.")
@click.option("--order", default=0, help="Detection tries lower numbers first.")
@json_option
def add_buildpack(repo: str, repo_type: str, desc: str, order: int, as_json: bool) -> None:
    """Add the buildpack at REPO."""
    _added("buildpacks", as_json, repo_url=repo, repo_type=repo_type, desc=desc, order=order)


ingredients = _group(
    "ingredients",
    "Config that swarms share.",
    ["ingredient", "swarms"],
    lambda one: (one["name"], len(one["swarms"])),
)


@ingredients.command("add")
@click.argument("name")
@click.option("--config", type=click.File(), help="YAML file with settings.")
@click.option("--env", multiple=True, metavar="FILE|KEY=VALUE", help="Environment.")
@json_option
def add_ingredient(name: str, config: Any, env: tuple[str, ...], as_json: bool) -> None:
    """Add a piece of config that swarms can share."""
    _added(
        "ingredients",
        as_json,
        name=name,
        config_yaml=config.read() if config else "",
        env_yaml=environment(env) if env else "",
    )
