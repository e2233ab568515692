"""A shell in any container, on this terminal or fed by a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from vr.container.launch import start
from vr.container.spec import Container
from vr.runner.terminal import Terminal


def interact(container: Container, folder: Path, *, env: Mapping[str, str], prompt: str) -> int:
    """Run bash in the container with `env`; returns its exit code.

    On a terminal it is interactive, with `prompt` before the working folder; otherwise it reads
    commands from stdin. `folder` as for `launch.start`.
    """
    bash = ["/bin/bash", "--norc"]
    if not sys.stdin.isatty():
        with start(container, folder, bash, env=env, stdin=sys.stdin.fileno()) as running:
            return running.wait()
    asking = {**env, "TERM": os.environ.get("TERM", "xterm"), "PS1": rf"{prompt}:\w\$ "}
    with Terminal() as terminal:
        inner = terminal.inner
        with start(
            container,
            folder,
            [*bash, "-i"],
            env=asking,
            stdin=inner,
            stdout=inner,
            stderr=inner,
        ) as running:
            terminal.relay()
            return running.wait()
