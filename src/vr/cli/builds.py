"""`vr build`, `vr upload` and `vr builds`."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from vr.cli.groups import DefaultGroup
from vr.cli.output import json_option, print_json, say, table, wants_cancel
from vr.client import ApiError, Client
from vr.client.documents import BuildDocument
from vr.errors import VelociraptorError, explain
from vr.text.terminal import harmless

_END_LINES = 100
"""How much of a log's end is searched for what the build failed with."""


@click.command()
@click.argument("app")
@click.argument("tag")
@click.option("--no-wait", is_flag=True, help="Only start it, don't follow it.")
@json_option
def build(app: str, tag: str, no_wait: bool, as_json: bool) -> None:
    """Build APP at TAG (a tag, branch or commit), anew even if it was built before."""
    client = Client.from_env()
    made = client.build(app, tag)
    end: deque[str] = deque(maxlen=_END_LINES)
    if not no_wait:
        _follow(client, made, end, as_json)
    ended = client.read(made["resource_uri"])
    if as_json:
        print_json(ended)
    elif no_wait:
        say(f"Build {made['id']} of {app} {tag} is queued. See: vr builds {app}")
    if not no_wait and ended["status"] != "success":
        why = harmless(ended["error"] or ended["status"])
        # The log ends with it, unless whoever built was killed.
        said = why in "\n".join(end)
        raise VelociraptorError(f"{app} {tag} was not built{'.' if said else f': {why}'}")
    if not (no_wait or as_json):
        say(f"Built {app} {tag}.")


def _follow(client: Client, made: BuildDocument, end: deque[str], as_json: bool) -> None:
    """Print the build's log, whose last lines are kept in `end`; a Ctrl-C may cancel it."""
    try:
        say(f"Build {made['id']} of {_app_of(made)} {made['tag']}:")
        for line in client.build_log(made):
            end.append(harmless(line))
            click.echo(end[-1], err=as_json)
    except KeyboardInterrupt:
        if not wants_cancel("the build"):
            say(f"It goes on without you. End it: vr builds cancel {made['id']}")
            raise
        try:
            client.cancel_build(made)
        except ApiError as error:  # it has ended meanwhile
            say(explain(error))
        for line in client.build_log(made):
            end.append(harmless(line))


@click.command()
@click.argument("app")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tag", default="", help="The version it becomes; else from its checksum.")
@click.option("--runtime", default="", help="What runs it, such as ruby; else what it says.")
@json_option
def upload(app: str, file: Path, tag: str, runtime: str, as_json: bool) -> None:
    """Upload the droplet FILE, made by `vstager stage` or any stager, as a build of APP."""
    client = Client.from_env()
    with file.open("rb") as content:
        made = client.upload(app, content, file.name, tag=tag, runtime=runtime)
    if as_json:
        print_json(made)
        return
    say(f"{file.name} is build {made['id']} of {app}. Next: vr swarm PATTERN {made['tag']}")


@click.group(cls=DefaultGroup)
def builds() -> None:
    """Builds: the newest ones; and how to end one."""


@builds.command()
@click.argument("build", type=int)
def cancel(build: int) -> None:
    """End the build of that number, which then fails, and leaves nothing."""
    client = Client.from_env()
    client.cancel_build(client.get("builds", str(build)))
    say(f"Build {build} is being cancelled.")


@builds.command("list")
@click.argument("app", default="")
@click.option("-n", "--limit", default=20, type=click.IntRange(min=1), help="So many at most.")
@json_option
def list_(app: str, limit: int, as_json: bool) -> None:
    """List the newest builds, of APP or of all apps."""
    client = Client.from_env()
    if app:
        client.get("apps", app)
    found = client.page("builds", limit, app__name=app)
    if as_json:
        print_json(found)
        return
    table(
        ["build", "app", "tag", "status", "started (UTC)", "buildpack", "why"],
        (
            (
                *(one["id"], _app_of(one), one["tag"], one["status"]),
                *((one["start_time"] or "")[:19], one["buildpack_url"], one["error"]),
            )
            for one in found
        ),
        empty="Nothing was built yet. Build something: vr build APP TAG",
    )


def _app_of(build: Mapping[str, Any]) -> str:
    return str(build["app"]).rstrip("/").rpartition("/")[2]
