"""`vr procs` and `vr logs`: what runs, and what it says."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

import click

from vr.cli import patterns
from vr.cli.groups import DefaultGroup
from vr.cli.output import confirm, json_option, print_json, say, table, yes_option
from vr.client import ApiError, Client
from vr.client.documents import FOREIGN, Document, ProcDocument
from vr.errors import FAILED, explain
from vr.text.plurals import counted
from vr.text.terminal import harmless

# More than the longest lines that people read; the server has the whole log.
_BYTES_PER_LINE = 400
_LONGEST_TAIL = 1024 * 1024


@click.group(cls=DefaultGroup)
def procs() -> None:
    """List procs: vr procs [PATTERN]. Or stop, start, restart them."""


@procs.command("list")
@click.argument("pattern", default="")
@click.option("--all", "foreign", is_flag=True, help="Also programs that are no procs of ours.")
@json_option
def list_(pattern: str, foreign: bool, as_json: bool) -> None:
    """List procs as their hosts last pushed them."""
    hosts = Client.from_env().objects("hosts")
    found: Sequence[ProcDocument] = [proc for host in hosts for proc in host["procs"]]
    say_silent(hosts)
    if not foreign:
        found = [one for one in found if one["version"] != FOREIGN]
    if pattern:
        found = patterns.procs(found, pattern)
    if as_json:
        print_json(found)
        return
    table(
        ["host", "proc", "port", "restarts", "state", "description"],
        (
            (one["host"], one["name"], one["port"] or "", _restarts(one), *_state(one))
            for one in found
        ),
        empty="No procs are known. Start some: vr swarm PATTERN VERSION",
    )


def say_silent(hosts: Sequence[Document]) -> None:
    """Say of which active hosts, as the API shows them, the procs are not known now."""
    for host in hosts:
        if host["active"] and host["heard_from"]["silent"]:
            since = (host["heard_from"]["seen"] or "it was added")[:19]
            say(f"{host['name']} is silent since {since}: what runs there now is unknown.")


def _restarts(proc: ProcDocument) -> str:
    return "?" if proc["restarts"] is None else str(proc["restarts"])


def _state(proc: ProcDocument) -> tuple[str, str]:
    if proc["silent"]:
        return (
            "UNKNOWN",
            f"host silent since {(proc['seen'] or 'ever')[:19]}; was {proc['statename']}",
        )
    return proc["statename"], proc["description"]


def _action(name: str, past: str, help_text: str) -> None:
    @procs.command(name, help=help_text)
    @click.argument("pattern")
    @yes_option
    @json_option
    def act(pattern: str, yes: bool, as_json: bool) -> None:
        client = Client.from_env()
        ours = [one for one in client.procs() if one["version"] != FOREIGN]
        found = patterns.procs(ours, pattern)
        if len(found) > 1:
            names = ", ".join(one["name"] for one in found)
            confirm(f"{name.capitalize()} {counted(len(found), 'proc')}: {names}?", yes=yes)
        done, failed = [], []
        for one in found:
            try:
                done.append(client.proc_action(one, name))
            except ApiError as error:
                failed.append(error)
            else:
                say(f"{past} {one['name']} on {one['host']}: {done[-1]['statename']}")
        if as_json:
            print_json(done)
        # What keeps one proc of a swarm from being touched keeps all of them.
        for said in dict.fromkeys(map(explain, failed)):
            say(said)
        if failed:
            raise SystemExit(FAILED)


_action("start", "Started", "Start the procs that begin with PATTERN.")
_action("stop", "Stopped", "Stop the procs that begin with PATTERN; they stay stopped.")
_action("restart", "Restarted", "Stop and start the procs that begin with PATTERN.")


@click.command()
@click.argument("pattern")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on.")
@click.option("-n", "--lines", default=100, type=click.IntRange(min=0), help="So many last lines.")
def logs(pattern: str, follow: bool, lines: int) -> None:
    """Show the logs of a proc, or of all procs whose swarm or name begins with PATTERN."""
    client = Client.from_env()
    found = patterns.procs(client.procs(), pattern)
    show = _Printer(names=len(found) > 1)
    length = min(max(lines, 1) * _BYTES_PER_LINE, _LONGEST_TAIL)
    if not follow:
        for one in found:
            text = client.log_tail(one, length)
            for line in deque(text.removesuffix("\n").split("\n") if text else (), maxlen=lines):
                show.line(one, line)
        return
    _follow(client, found, length, show)


def _follow(client: Client, found: Sequence[ProcDocument], length: int, show: _Printer) -> None:
    problems: list[BaseException] = []

    def read(one: ProcDocument) -> None:
        try:
            for line in client.log_lines(one, length):
                show.line(one, line)
        except BaseException as error:
            problems.append(error)

    # Daemons, as an interrupt of the main thread is the end of following.
    threads = [threading.Thread(target=read, args=(one,), daemon=True) for one in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    say("These procs are gone, and their logs with them.")


class _Printer:
    """Prints lines whole, with their proc's name where there are several."""

    def __init__(self, *, names: bool) -> None:
        self._names = names
        self._lock = threading.Lock()

    def line(self, proc: ProcDocument, text: str) -> None:
        prefix = f"{proc['name']} | " if self._names else ""
        with self._lock:
            click.echo(prefix + harmless(text))
