"""`vr notify`: who elsewhere is told of events: chats, mail and webhooks."""

from __future__ import annotations

import secrets
import sys
import time

import click

from vr.cli.groups import DefaultGroup
from vr.cli.output import confirm, json_option, print_json, say, table, yes_option
from vr.client import Client
from vr.errors import VelociraptorError

_RESOURCE = "notifiers"
_POLL_SECONDS = 0.3
# A sender is ended before; then somebody must be there to send at all.
_PATIENCE_SECONDS = 60.0


@click.group(cls=DefaultGroup)
def notify() -> None:
    """List notifiers: vr notify. Or add, remove, test them."""


@notify.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List who is told of which events."""
    found = Client.from_env().objects(_RESOURCE)
    if as_json:
        print_json(found)
        return
    table(
        ["name", "address", "events", "of", "waiting", "last error"],
        (
            (
                one["name"],
                one["url"] if one["active"] else f"{one['url']} (off)",
                one["kinds"],
                ", ".join(_name(one[of]) for of in ("app", "squad") if one[of]) or "all",
                one["waiting"],
                one["last_error"],
            )
            for one in found
        ),
        empty="Nobody is notified yet. Add somebody: vr notify add --help",
    )


@notify.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--events", "kinds", help="Such as 'bad' (the default), 'all', 'swarm_done bad'.")
@click.option("--app", help="Only events of this app.")
@click.option("--squad", help="Only events of this squad.")
@click.option("--secret", help="Signs what a webhook is sent; '' for none. Made, unless told.")
@json_option
def add(
    name: str,
    url: str,
    kinds: str | None,
    app: str | None,
    squad: str | None,
    secret: str | None,
    as_json: bool,
) -> None:
    """Send events to URL: https://… of a webhook of your own, or an address for Apprise, such as
    mailto://user:password@example.org or slack://…; '-' reads it from stdin."""
    if url == "-":
        url = sys.stdin.readline().strip()
    given = {"kinds": kinds, "app": app, "squad": squad}
    made_secret = "" if secret is not None else secrets.token_urlsafe(32)
    client = Client.from_env()
    made = client.create(
        _RESOURCE,
        name=name,
        url=url,
        secret=secret if secret is not None else made_secret,
        **{key: value for key, value in given.items() if value is not None},
    )
    if as_json:
        print_json({**made, "secret": made_secret or made["secret"]})
        return
    say(f"Added the notifier {name} ({made['service']}). Try it: vr notify test {name}")
    if made_secret and made["service"] == "webhook":
        say(f"The secret that signs what it is sent, shown only now: {made_secret}")


@notify.command("remove")
@click.argument("name")
@yes_option
def remove(name: str, yes: bool) -> None:
    """Remove a notifier, with what waits for it."""
    client = Client.from_env()
    doomed = client.get(_RESOURCE, name)
    confirm(f"Remove the notifier {name}?", yes=yes)
    client.remove(doomed["resource_uri"])
    say(f"Removed the notifier {name}.")


@notify.command("test")
@click.argument("name")
def test(name: str) -> None:
    """Send a notice to it now, and say whether it got there."""
    client = Client.from_env()
    found = client.get(_RESOURCE, name)
    path = str(client.post(f"{found['resource_uri']}test/")["notice"])
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (notice := client.read(path))["status"] == "waiting":
        if time.monotonic() > deadline:
            raise VelociraptorError(
                f"The notice for {name} still waits after {_PATIENCE_SECONDS:.0f} s.",
                hint="Look whether a worker runs: vr status. It is sent when one does.",
            )
        time.sleep(_POLL_SECONDS)
    if notice["status"] != "sent":
        raise VelociraptorError(
            f"{name} was not reached: {notice['error']}",
            hint="Change its address in the pages, or remove and add it.",
        )
    say(f"{name} was told.")


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
