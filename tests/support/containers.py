"""A command in a container, as tests want it: run to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vr.container.launch import start
from vr.container.spec import Container


def run(
    container: Container,
    folder: Path,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout: float | None = None,
    **streams: Any,
) -> int:
    """The exit code; `streams` and what may be raised as for `start` and its `wait`."""
    with start(container, folder, argv, env=env, **streams) as running:
        return running.wait(timeout)
