"""vrun teardown: all that setup and run made for one proc, gone; also after a crash anywhere."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from vr.container import cgroups
from vr.errors import InvalidInput
from vr.files.locks import Lock
from vr.paths import ProcPaths, Root
from vr.runner import launcher_link
from vr.runner.addresses import release
from vr.runner.twin import twins_folder
from vr.specs.names import ProcName
from vr.specs.proc import load_name


def teardown(proc_yaml: Path, *, root: Root, wait: float = 0) -> None:
    """Remove the proc's folder and what is left of its containers; shared layers stay.

    Fine if it is gone already. What can't run must still go: of the file only the name needs to be
    valid, and not even that if it lies in the folder of a proc. Raises Busy while the proc runs,
    VelociraptorError if the file does not exist, InvalidInput if it names no proc.
    """
    if _only_folder_left(proc_yaml, root):
        proc_yaml.parent.rmdir()
        return
    with Lock(proc_yaml, wait=wait, create=False):
        paths = root.proc(_name(proc_yaml, root))
        launcher_link.forget(proc_yaml, root)
        if paths.folder.is_dir():
            with Lock(paths.folder, wait=wait):
                _remove(paths, root)


def _name(proc_yaml: Path, root: Root) -> str:
    try:
        return str(load_name(proc_yaml))
    except InvalidInput:
        folder = proc_yaml.resolve().parent
        if folder.parent == root.procs.resolve() and ProcName.parse(folder.name):
            return folder.name
        raise


def _only_folder_left(proc_yaml: Path, root: Root) -> bool:
    """An earlier teardown was killed between its last two steps."""
    folder = proc_yaml.parent
    return (
        folder.parent == root.procs
        and folder.is_dir()
        and not proc_yaml.exists()
        and not any(folder.iterdir())
    )


def _remove(paths: ProcPaths, root: Root) -> None:
    # First what makes it look ready; last proc.yaml, by which an interrupted teardown is repeated.
    paths.launcher.unlink(missing_ok=True)
    names = [paths.folder.name]
    twins = twins_folder(paths)
    if twins.is_dir():
        names += [twin.name for twin in twins.iterdir()]
    for name in names:
        cgroups.sweep(name)
        release(root, name)
    for entry in paths.folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _remove_folder(entry)
        elif entry != paths.proc_yaml:
            entry.unlink(missing_ok=True)
    paths.proc_yaml.unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        paths.folder.rmdir()


def _remove_folder(folder: Path) -> None:
    """Remove it with all it holds; an uptest or shell that we ended tidies up at the same time."""

    def keep_on(_function: object, _path: str, failure: tuple[type, BaseException, object]) -> None:
        if not isinstance(failure[1], FileNotFoundError):
            raise failure[1]

    shutil.rmtree(folder, onerror=keep_on)
