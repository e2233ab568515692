"""What commands print: tables for people, JSON for machines, questions before destruction."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from vr.errors import VelociraptorError
from vr.text.terminal import harmless, plain

F = TypeVar("F", bound=Callable[..., Any])

_STYLES = {
    "RUNNING": "green",
    "succeeded": "green",
    "success": "green",
    "STARTING": "yellow",
    "STOPPING": "yellow",
    "BACKOFF": "yellow",
    "running": "yellow",
    "started": "yellow",
    "FATAL": "red",
    "OVER_DISK": "red",
    "EXITED": "red",
    "failed": "red",
    "cancelled": "yellow",
    "held": "yellow",
}
# Where nobody looks, lines are cut for nobody either.
_PIPE_WIDTH = 1000


def json_option(command: F) -> F:
    """`--json`, as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")(
        command
    )


def yes_option(command: F) -> F:
    """`-y`, as `yes`."""
    return click.option("-y", "--yes", is_flag=True, help="Don't ask.")(command)


def print_json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def say(line: str) -> None:
    """A line about what happens, on stderr, so that stdout is the result alone."""
    click.echo(harmless(line), err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Rows under headings; `empty` says what to do when there are none."""
    shown = [["" if cell is None else plain(str(cell)) for cell in row] for row in rows]
    if not shown:
        say(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    console = Console(width=None if is_terminal else _PIPE_WIDTH, highlight=False)
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        grid.add_column(name, no_wrap=not is_terminal, overflow="fold")
    for row in shown:
        grid.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    console.print(grid)


def wants_cancel(what: str) -> bool:
    """After a Ctrl-C: is `what` to be cancelled? If not, if nobody can answer, and after another
    Ctrl-C, it goes on."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    choice = click.Choice(["cancel", "go-on"])
    try:
        answer = click.prompt(
            f"\nCancel {what}, or let it go on?", type=choice, default="go-on", err=True
        )
    except click.Abort:
        return False
    return bool(answer == "cancel")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is destroyed; raises click.Abort for a no.

    Raises VelociraptorError where nobody can answer.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise VelociraptorError(f"{question} Nobody is here to answer.", hint="Say yes with -y.")
    click.confirm(question, abort=True, err=True)
