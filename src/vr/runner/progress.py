"""Progress on stdout: a line per step, and a moving percentage on a terminal."""

from __future__ import annotations

import sys

from vr.files.download import Progress
from vr.text.terminal import can_redraw


def say(text: str) -> None:
    """One line, seen at once even when stdout is a pipe."""
    print(text, flush=True)


def download_progress(what: str) -> Progress | None:
    """Shows a download on a terminal; None elsewhere, where it would only fill a log."""
    if not can_redraw(sys.stdout):
        return None

    def show(done: int, total: int | None) -> None:
        size = f"{done / 1e6:.1f} MB"
        text = f"{done * 100 // total} % of {total / 1e6:.1f} MB" if total else size
        end = "\n" if done == total else ""
        print(f"\r{what}: {text}\x1b[K", end=end, flush=True)

    return show
