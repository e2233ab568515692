"""The repository's Procfile: a process per line, as Foreman starts them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vr.specs.procfile import parse

REPOSITORY = Path(__file__).parents[2]
_STOP_SECONDS = 40


def started(name: str, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """The process of the line `name`, which has just been started; its output goes to `log`."""
    lines = parse((REPOSITORY / "Procfile").read_text()).commands
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    with log.open("ab") as output:
        return subprocess.Popen(
            ["sh", "-c", lines[name]],
            env={**environment, "PATH": path},
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def proc(name: str, environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The same, ended with the block if a test hasn't done that."""
    process = started(name, environment, log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)
