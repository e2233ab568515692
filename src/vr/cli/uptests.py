"""`vr uptests`: what procs' uptests said last, and running them now."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import click

from vr.cli import patterns
from vr.cli.groups import DefaultGroup
from vr.cli.output import json_option, print_json, say, table
from vr.client import Client
from vr.client.documents import Document
from vr.errors import FAILED
from vr.text.plurals import counted
from vr.text.terminal import harmless

_POLL_SECONDS = 0.5
_COLUMNS = ["time", "host", "proc", "uptests", "outcome"]


@click.group(cls=DefaultGroup)
def uptests() -> None:
    """Show what uptests said last: vr uptests [-n N]. Or run them now."""


@uptests.command("list")
@click.option("--failed", is_flag=True, help="Only those that failed.")
@click.option("-n", "count", default=50, type=click.IntRange(1, 1000), help="So many.")
@json_option
def list_(failed: bool, count: int, as_json: bool) -> None:
    """Show the last results, newest first: of dispatches, of the schedule, and asked for."""
    search = {"passed": "false"} if failed else {}
    found = Client.from_env().page("testresults", count, **search)
    if as_json:
        print_json(found)
        return
    table(_COLUMNS, map(_row, found), empty="No uptests have run yet.")


@uptests.command("run")
@click.argument("pattern", default="")
@click.option("--all", "everything", is_flag=True, help="Those of all procs that serve.")
@click.option("--no-wait", is_flag=True, help="Don't wait for the results.")
@json_option
def run(pattern: str, everything: bool, no_wait: bool, as_json: bool) -> None:
    """Run the uptests of the swarms, or else procs, that begin with PATTERN, beside what serves.

    Ends with 1 if some fail. What serves stays as it is, unless a swarm's --unroute-after says
    otherwise.
    """
    if everything == bool(pattern):
        raise click.UsageError("Give a PATTERN, or --all.")
    client = Client.from_env()
    rounds = [client.uptest_all()] if everything else _asked(client, pattern)
    if no_wait:
        for path in rounds:
            say(f"Queued: {path}")
        return
    results = [one for path in rounds for one in _awaited(client, path)["testresults"]]
    if as_json:
        print_json(results)
    else:
        table(_COLUMNS, map(_row, results), empty="No proc could be tested; they are gone by now.")
    failures = [one for one in results if not one["passed"]]
    for one in () if as_json else failures:
        say(f"\n{one['procname']} on {one['hostname']}:")
        click.echo(harmless(one["results"]).rstrip(), err=True)
    if failures:
        say(f"{counted(len(failures), 'proc')} failed.")
        raise SystemExit(FAILED)


def _asked(client: Client, pattern: str) -> Sequence[str]:
    """The rounds that were begun, in their order; each once."""
    swarms = client.swarms()
    try:
        found: Iterable[str] = map(client.uptest, patterns.swarms(swarms, pattern))
    except patterns.NothingMatches:
        procs = patterns.procs(client.procs(), pattern)
        found = map(client.uptest_proc, procs)
    return list(dict.fromkeys(found))


def _awaited(client: Client, path: str) -> Document:
    while (round_ := client.read(path))["end"] is None:
        time.sleep(_POLL_SECONDS)
    return round_


def _row(result: Document) -> Sequence[object]:
    outcome = "passed" if result["passed"] else "failed"
    count = result["testcount"] or "none"
    return result["time"][:19], result["hostname"], result["procname"], count, outcome
