"""vrun shell: bash in a container like the proc's, with a proper terminal; leaves no trace."""

from __future__ import annotations

from pathlib import Path

from vr.paths import Root
from vr.runner import setup_record
from vr.runner.environment import PROC_SCRIPT
from vr.runner.interactive import interact
from vr.runner.twin import twin
from vr.specs.proc import load


def shell(proc_yaml: Path, *, root: Root) -> int:
    """Run bash beside the proc, in its environment; returns bash's exit code.

    On a terminal it is interactive, with a prompt that names the proc; otherwise it reads commands
    from stdin. Takes no lock. Raises VelociraptorError if the proc is not set up on this host.
    """
    proc = load(proc_yaml)
    paths = root.proc(str(proc.name))
    container = setup_record.load(paths, proc_yaml)
    entry = ["/bin/bash", PROC_SCRIPT]
    with twin(root, paths, container, "SH") as (copy, folder):
        return interact(copy, folder, env={}, prompt=proc.name.short, entry=entry)
