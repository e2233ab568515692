"""The short way from a proc's YAML file to its launcher, for `vrun run`: no YAML is read.

Setup leaves a link to the launcher under the file's identity, and gives the launcher the file's
own modification time. If either does not fit, the file changed since, and the long way is taken.
Only `os` is imported: that is most of what makes it short.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import NoReturn

    from vr.paths import Root


def remember(proc_yaml: Path, launcher: Path, root: Root) -> None:
    """Let `find` find the launcher of this file."""
    status = proc_yaml.stat()
    os.utime(launcher, ns=(status.st_mtime_ns, status.st_mtime_ns))
    root.ready.mkdir(parents=True, exist_ok=True, mode=0o700)
    root.ready.chmod(0o700)
    link = root.ready / _key(status)
    new = link.with_name(f".{link.name}-{os.getpid()}")
    new.symlink_to(launcher)
    new.rename(link)


def forget(proc_yaml: Path, root: Root) -> None:
    """Undo `remember`; fine if it was never called."""
    (root.ready / _key(proc_yaml.stat())).unlink(missing_ok=True)


def find(proc_yaml: str, ready: str) -> str | None:
    """The launcher's path, if the file is the one that was set up, unchanged."""
    try:
        status = os.stat(proc_yaml)  # noqa: PTH116  (pathlib takes longer than the rest)
        launcher = os.readlink(f"{ready}/{_key(status)}")  # noqa: PTH115
        fits = os.stat(launcher).st_mtime_ns == status.st_mtime_ns  # noqa: PTH116
    except OSError:
        return None
    return launcher if fits else None


def become(launcher: str, wait: int = 0) -> NoReturn:
    """Replace this process by the launcher, which waits `wait` seconds for its locks.

    Of the environment it gets only whether Supervisor is the parent: then it ends with it. Of the
    descriptors it gets 0 to 2.
    """
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    env = {name: os.environ[name] for name in ("SUPERVISOR_ENABLED",) if name in os.environ}
    os.execve(launcher, [launcher, *([str(wait)] if wait else [])], env)


def _key(status: os.stat_result) -> str:
    return f"{status.st_dev}-{status.st_ino}"
