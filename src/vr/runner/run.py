"""vrun run: check that setup was done, then become the launcher."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import NoReturn

from vr.files.locks import Lock
from vr.paths import Root
from vr.runner import setup_record
from vr.runner.launcher_link import become
from vr.specs.proc import load

_SUPERVISED_WAIT = 15


def run(proc_yaml: Path, *, root: Root, wait: float = 0) -> NoReturn:
    """Replace this process by the proc's launcher, which ends with the app's exit code.

    Raises Busy if another command holds the file, VelociraptorError if setup was not done.
    """
    # Taken and given back: it gives the same answer as the launcher's own lock, in better words,
    # and waits until a setup that is under way has left something to run.
    supervised = "SUPERVISOR_ENABLED" in os.environ
    with Lock(proc_yaml, wait=wait or (_SUPERVISED_WAIT if supervised else 0), create=False):
        paths = root.proc(str(load(proc_yaml).name))
        setup_record.load(paths, proc_yaml)
    become(str(paths.launcher), math.ceil(wait))
