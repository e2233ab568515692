"""vrun shell: bash in a container like the proc's, with a proper terminal; leaves no trace."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from vr.container.launch import start
from vr.paths import Root
from vr.runner import record
from vr.runner.environment import PROC_SCRIPT
from vr.runner.terminal import Terminal
from vr.runner.twin import twin
from vr.specs.proc import load


def shell(proc_yaml: Path, *, root: Root) -> int:
    """Run bash beside the proc, in its environment; returns bash's exit code.

    On a terminal it is interactive, with a prompt that names the proc; otherwise it reads commands
    from stdin. Takes no lock. Raises VelociraptorError if the proc is not set up on this host.
    """
    proc = load(proc_yaml)
    paths = root.proc(str(proc.name))
    container = record.load(paths, proc_yaml)
    argv = ["/bin/bash", PROC_SCRIPT]
    bash = ["/bin/bash", "--norc"]
    with twin(paths, container, "SH") as (copy, folder):
        if not sys.stdin.isatty():
            with start(copy, folder, [*argv, *bash], env={}, stdin=sys.stdin.fileno()) as running:
                return running.wait()
        env = {"TERM": os.environ.get("TERM", "xterm")}
        # Given as late as this, because the script's own bash drops it. $PWD, because \w would
        # show /app, which is HOME, as ~.
        prompt = ["/usr/bin/env", rf"PS1={proc.name.short}:$PWD\$ "]
        with Terminal() as terminal:
            inner = terminal.inner
            with start(
                copy,
                folder,
                [*argv, *prompt, *bash, "-i"],
                env=env,
                stdin=inner,
                stdout=inner,
                stderr=inner,
            ) as running:
                terminal.relay()
                return running.wait()
