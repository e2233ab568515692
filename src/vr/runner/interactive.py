"""A shell in any container, on this terminal or fed by a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vr.container.launch import DEVNULL, PIPE, start
from vr.container.pty import open_terminal
from vr.container.spec import Container
from vr.runner.terminal import Terminal, window_size


def interact(
    container: Container,
    folder: Path,
    *,
    env: Mapping[str, str],
    prompt: str,
    entry: Sequence[str] = (),
) -> int:
    """Run bash in the container with `env`; returns its exit code.

    On a terminal it is interactive, with `prompt` before the working folder; otherwise it reads
    commands from stdin. `entry` is a command that prepares the way and executes its arguments.
    `folder` as for `launch.start`.
    """
    bash = ["/bin/bash", "--norc"]
    if not sys.stdin.isatty():
        argv = [*entry, *bash]
        with start(container, folder, argv, env=env, stdin=sys.stdin.fileno()) as running:
            return running.wait()
    # PS1 is given as late as this, because a bash that runs `entry` drops it. $PWD, because \w
    # would show /app, which is HOME, as ~.
    argv = [*entry, "/usr/bin/env", rf"PS1={prompt}:$PWD\$ ", *bash, "-i"]
    with start(
        container,
        folder,
        argv,
        env={**env, "TERM": os.environ.get("TERM", "xterm")},
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        own_terminal=True,
    ) as running:
        with Terminal(open_terminal(running, window_size())) as terminal:
            terminal.relay()
        return running.wait()
