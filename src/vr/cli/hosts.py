"""`vr hosts`: machines that run procs."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from vr.cli.output import confirm, json_option, print_json, say, yes_option
from vr.cli.record_groups import add_record, record_group
from vr.client import Client
from vr.client.documents import FOREIGN, Document, ProcDocument
from vr.errors import VelociraptorError
from vr.text.durations import duration
from vr.text.terminal import harmless

_POLL_SECONDS = 0.3
_OPEN = ("queued", "running")

hosts = record_group(
    "hosts",
    "Hosts that run procs.",
    ["host", "squad", "active", "software", "procs", "last heard from"],
    lambda one: (
        *(one["name"], _last_part(one["squad"]), _activity(one)),
        *(one["release"], _procs(one["procs"]), _heard(one["heard_from"])),
    ),
    removable=False,
)
_no_wait = click.option("--no-wait", is_flag=True, help="Only start it, don't follow it.")


def _last_part(path: str | None) -> str:
    return (path or "").rstrip("/").rpartition("/")[2]


def _activity(host: Document) -> str:
    state = "yes" if host["active"] else "no"
    draining = ", DRAINING" if host["draining"] else ""
    return f"{state}{draining}{', DISK FULL' if host['disk_full_since'] else ''}"


def _procs(programs: Sequence[ProcDocument]) -> int:
    """How many of a host's programs are procs, not parts of Velociraptor or others'."""
    return sum(one["version"] != FOREIGN for one in programs)


def _heard(heard: Document) -> str:
    if heard["age"] is None:
        return "never"
    return f"{duration(heard['age'])} ago{', SILENT' if heard['silent'] else ''}"


@hosts.command("add")
@click.argument("name")
@click.option("--squad", help="The squad that it joins.")
@click.option("--address", default="", help="Where SSH finds it; else at its name.")
@click.option("--user", default="", help="Who the server signs in as; else root.")
@click.option("--port", type=click.IntRange(1, 65535), help="sshd's; else 22.")
@click.option("--ask-password", is_flag=True, help="Sign in with a password, this once.")
@click.option("--fingerprint", default="", help="What its SSH key must be: SHA256:….")
@click.option("--new-key", is_flag=True, help="It was installed anew: pin the key it has now.")
@click.option("--manual", is_flag=True, help="Only add the name: you have prepared it yourself.")
@click.option("--inactive", is_flag=True, help="It gets no procs for now.")
@_no_wait
@json_option
def add_host(
    name: str,
    squad: str | None,
    address: str,
    user: str,
    port: int | None,
    ask_password: bool,
    fingerprint: str,
    new_key: bool,
    manual: bool,
    inactive: bool,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Make a machine a host: sign in by SSH, install what it needs, start its Supervisor.

    May be repeated. The server's key must be let in there (see `vr hosts key`), or the password
    be given, which leaves the key there and is forgotten.
    """
    if manual:
        add_record("hosts", as_json, name=name, squad=squad, active=not inactive)
        return
    password = click.prompt("Password", hide_input=True, err=True) if ask_password else ""
    client = Client.from_env()
    given = {"address": address, "ssh_user": user, "ssh_port": port, "squad": squad}
    values = {key: value for key, value in given.items() if value}
    known = client.page("hosts", 1, name=name)
    if known:
        client.change(known[0]["resource_uri"], values)
    else:
        client.create("hosts", name=name, active=False, **values)
    told = {"password": password, "fingerprint": fingerprint}
    job = _start(client, name, "prepare", **told, new_key=new_key, activate=not inactive)
    _follow(client, [job], no_wait=no_wait, as_json=as_json)


@hosts.command("upgrade")
@click.argument("names", nargs=-1)
@click.option("--all", "all_hosts", is_flag=True, help="All that were prepared.")
@_no_wait
@json_option
def upgrade(names: Sequence[str], all_hosts: bool, no_wait: bool, as_json: bool) -> None:
    """Bring hosts to the server's version; procs there run on."""
    client = Client.from_env()
    if all_hosts:
        names = [one["name"] for one in client.objects("hosts") if one["release"]]
        if not names:
            say("No host was prepared over SSH, so there is none to upgrade.")
            return
    if not names:
        raise VelociraptorError(
            "No host is named.", hint="Name some, or all: vr hosts upgrade --all"
        )
    jobs = [_start(client, name, "prepare") for name in names]
    _follow(client, jobs, no_wait=no_wait, as_json=as_json)


@hosts.command("check")
@click.argument("names", nargs=-1, required=True)
@json_option
def check(names: Sequence[str], as_json: bool) -> None:
    """Look whether hosts can be reached and can run procs."""
    client = Client.from_env()
    _follow(client, [_start(client, name, "check") for name in names], as_json=as_json)


@hosts.command("drain")
@click.argument("name")
def drain(name: str) -> None:
    """Move all procs of a host to others of its squad; it gets none until it is undrained."""
    _set_draining(name, draining=True)
    say(f"{name} is being drained: its procs move to other hosts. See: vr hosts")


@hosts.command("undrain")
@click.argument("name")
def undrain(name: str) -> None:
    """Let a host get procs again; those that were moved stay where they are."""
    _set_draining(name, draining=False)
    say(f"{name} gets procs again.")


def _set_draining(name: str, *, draining: bool) -> None:
    client = Client.from_env()
    client.change(client.get("hosts", name)["resource_uri"], {"draining": draining})


@hosts.command("remove")
@click.argument("name")
@yes_option
@_no_wait
@json_option
def remove(name: str, yes: bool, no_wait: bool, as_json: bool) -> None:
    """Remove what the server installed on a host, and forget the host. It must have no procs."""
    client = Client.from_env()
    doomed = client.get("hosts", name)
    confirm(f"Remove the host {name}?", yes=yes)
    if not doomed["fingerprint"]:
        client.remove(doomed["resource_uri"])
        say(f"Removed the host {name}.")
        return
    _follow(client, [_start(client, name, "remove")], no_wait=no_wait, as_json=as_json)


@hosts.command("jobs")
@click.argument("name")
@json_option
def jobs(name: str, as_json: bool) -> None:
    """What was done to a host, the newest first."""
    client = Client.from_env()
    found = client.page("hostjobs", 20, host__name=name)
    if as_json:
        print_json(found)
        return
    for one in found:
        click.echo(harmless(f"{one['asked'][:19]}  {one['kind']}: {one['status']} {one['error']}"))
        for step in one["steps"]:
            click.echo(harmless(f"    {step['message']}"))


@hosts.command("key")
def key() -> None:
    """The server's public SSH key, for ~/.ssh/authorized_keys of hosts."""
    click.echo(Client.from_env().read("/api/v1/hosts/server_key/")["public"])


def _start(client: Client, name: str, action: str, **told: object) -> Document:
    host = client.get("hosts", name)
    sent = {key: value for key, value in told.items() if value}
    return client.read(client.post(f"{host['resource_uri']}{action}/", **sent)["job"])


def _follow(
    client: Client, jobs: Sequence[Document], *, no_wait: bool = False, as_json: bool = False
) -> None:
    """Show each step as it begins, until all jobs have ended; raises for those that failed."""
    shown = {job["id"]: 0 for job in jobs}
    latest = {job["id"]: job for job in jobs}
    while not no_wait:
        for pk, job in latest.items():
            for step in job["steps"][shown[pk] :]:
                say(f"{job['name']}: {step['message']}")
            shown[pk] = len(job["steps"])
        if not any(job["status"] in _OPEN for job in latest.values()):
            break
        time.sleep(_POLL_SECONDS)
        latest = {pk: client.read(job["resource_uri"]) for pk, job in latest.items()}
    if as_json:
        print_json(list(latest.values()))
    failed = [job for job in latest.values() if job["status"] == "failed"]
    if failed:
        raise VelociraptorError(
            harmless("\n".join(f"{job['name']}: {job['error']}" for job in failed)),
            details=harmless("\n".join(filter(None, (job["output"] for job in failed)))),
        )
