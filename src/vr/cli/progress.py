"""Showing dispatches while they run: live on a terminal, a line per change elsewhere."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from vr.client.client import ENDED, Client
from vr.client.documents import DispatchDocument, StepDocument
from vr.errors import VelociraptorError
from vr.text.durations import duration
from vr.text.terminal import can_redraw, harmless, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

_REDRAW_SECONDS = 0.1
_MARKS = {"done": ("✓", "green"), "failed": ("✗", "red")}


class Progress:
    """Follows dispatches to their ends, or unless `settled`, until their versions serve; `quiet`
    shows nothing."""

    def __init__(self, client: Client, *, quiet: bool = False, settled: bool = True) -> None:
        self._client = client
        self._quiet = quiet
        self._settled = settled

    def follow(self, trace_ids: Sequence[str]) -> list[DispatchDocument]:
        """Show all of them until each has come so far; returns their last documents.

        Raises what the client raises.
        """
        latest: dict[str, DispatchDocument] = {}
        updates = _updates(self._client, trace_ids, settled=self._settled)
        if self._quiet:
            for found in updates:
                if found:
                    latest[found["trace_id"]] = found
        elif can_redraw(sys.stderr):
            _show_live(updates, latest)
        else:
            for found in updates:
                if found:
                    for line in changes(latest.get(found["trace_id"]), found):
                        click.echo(harmless(line), err=True)
                    latest[found["trace_id"]] = found
        return [latest[trace_id] for trace_id in trace_ids]


def changes(before: DispatchDocument | None, after: DispatchDocument) -> list[str]:
    """A line for each step that began, spoke or ended between two documents."""
    name = after["name"]
    lines = [] if before else [f"{name} → {after['version']}, size {after['size']}"]
    if after["note"] and (before is None or before["note"] != after["note"]):
        lines.append(f"{name}: {after['note']}")
    known = {step["kind"]: step for step in before["steps"]} if before else {}
    for step in after["steps"]:
        old = known.get(step["kind"])
        if old and (old["status"], old["message"]) == (step["status"], step["message"]):
            continue
        lines.append(f"{name}: {step_line(step)}")
    if after["status"] in ENDED and (before is None or before["status"] != after["status"]):
        lines.append(f"{name}: {ending(after)}")
    return lines


def step_line(step: StepDocument) -> str:
    """`deploy done in 0.4 s: 2 of 2 procs`; why a step failed is the last word of all."""
    state = {"running": "…", "done": f"done in {duration(step['seconds']) or '?'}"}.get(
        step["status"], f"{step['status']} after {duration(step['seconds']) or '?'}"
    )
    message = "" if step["status"] == "failed" else step["message"]
    return f"{step['kind']} {state}{': ' if message else ''}{message}"


def ending(dispatch: DispatchDocument) -> str:
    """How it ended, and after how long."""
    return f"{dispatch['status']} in {duration(dispatch['seconds'])}"


def failure_of(dispatch: DispatchDocument) -> VelociraptorError:
    """Why a dispatch failed or was cancelled, with the failing output."""
    status = "was cancelled" if dispatch["status"] == "cancelled" else "failed"
    return VelociraptorError(
        harmless(f"{dispatch['name']} → {dispatch['version']} {status}: {dispatch['error']}"),
        details=harmless(dispatch["output"]),
    )


def _updates(
    client: Client, trace_ids: Sequence[str], *, settled: bool
) -> Iterator[DispatchDocument | None]:
    """Documents as they come, from all dispatches at once; None while there is nothing new."""
    news: queue.Queue[DispatchDocument | BaseException | None] = queue.Queue()

    def listen(trace_id: str) -> None:
        try:
            for document in client.follow(trace_id, settled=settled):
                news.put(document)
        except BaseException as error:
            news.put(error)
        else:
            news.put(None)

    for trace_id in trace_ids:
        # A daemon, as an interrupt of the main thread is the end of following.
        threading.Thread(target=listen, args=(trace_id,), daemon=True).start()
    listening = len(trace_ids)
    while listening:
        try:
            found = news.get(timeout=_REDRAW_SECONDS)
        except queue.Empty:
            yield None
            continue
        if isinstance(found, BaseException):
            raise found
        if found is None:
            listening -= 1
        else:
            yield found


def _show_live(
    updates: Iterator[DispatchDocument | None], latest: dict[str, DispatchDocument]
) -> None:
    from rich.console import Console
    from rich.live import Live

    heard: dict[str, float] = {}
    with Live(console=Console(stderr=True), refresh_per_second=10) as live:
        for found in updates:
            if found:
                latest[found["trace_id"]] = found
                heard[found["trace_id"]] = time.monotonic()
                live.update(picture(latest, heard))
            else:
                live.update(picture(latest, heard))


def picture(latest: Mapping[str, DispatchDocument], heard: Mapping[str, float]) -> RenderableType:
    """Each dispatch with its steps; running ones count on between two documents.

    Both are by trace id; `heard` is when each document came, by the monotonic clock.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    for trace_id, dispatch in latest.items():
        since = time.monotonic() - heard[trace_id]
        title = Text(f"{dispatch['name']} → {dispatch['version']}", style="bold")
        title.append(f"  {dispatch['status']}", style="dim")
        note = [Text(plain(dispatch["note"]))] if dispatch["note"] else []
        parts += [title, *note, _steps(dispatch, since)]
    return Group(*parts)


def _steps(dispatch: DispatchDocument, since: float) -> RenderableType:
    from rich.spinner import Spinner
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    for step in dispatch["steps"]:
        mark, style = _MARKS.get(step["status"], ("", ""))
        running = step["status"] == "running"
        # Once it has ended, why is the last word, below the picture.
        is_told = step["status"] == "failed" and dispatch["status"] in ENDED
        elapsed = step["seconds"] + (since if running else 0)
        grid.add_row(
            Spinner("dots") if running else Text(mark, style=style),
            step["kind"],
            Text(duration(elapsed), style="dim", justify="right"),
            Text("" if is_told else plain(step["message"]), overflow="fold"),
        )
    return grid
