"""A revision of a repository as a folder: clone kept between builds, work tree made anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vr.errors import InvalidInput, Unwanted, VelociraptorError
from vr.files.folders import private_folder
from vr.files.locks import Lock
from vr.repo import process
from vr.repo.git import Git
from vr.repo.hg import Hg
from vr.repo.process import TooSlow
from vr.repo.source import Kind, Source, revision_problem

TIMEOUT = 600.0
WAIT = 600.0
LOOK_UP = 30.0


@dataclass(frozen=True)
class Checkout:
    """What was checked out: the folder, and the commit's full hash."""

    folder: Path
    revision: str


def checkout(
    url: str,
    revision: str,
    kind: Kind,
    target: Path,
    *,
    clones: Path,
    commit: str = "",
    timeout: float = TIMEOUT,
    wait: float = WAIT,
    check: Callable[[], None] = lambda: None,
) -> Checkout:
    """Put the files of `revision` of the repository `url` into the new folder `target`.

    `revision` is a tag, branch or commit, tried in that order; empty means the remote's default
    branch (hg: tip). With `commit`, a full hash, it is that commit, whatever `revision` names by
    now. The clone is kept as `clones/<basename>-<md5 of the URL>`, for nobody else's eyes; two
    checkouts of one URL take turns, waiting up to `wait` seconds. Each git or hg command may last
    `timeout` seconds. The Unwanted that `check` raises meanwhile ends them and the waiting. Raises
    UnreachableRepository, UnknownRevision, Busy or InvalidInput; then there is no `target`.
    """
    source = Source(url)
    if revision and (problem := revision_problem(revision)):
        raise InvalidInput(source.public_url, [f"revision: {problem}"])
    program = _program(source, kind, timeout, check)
    clone = clones / source.folder_name
    private_folder(clones)
    try:
        with Lock(clones / f".{source.folder_name}.lock", wait=wait, check=check):
            _refresh(program, clone, revision)
            if not commit or not program.has(clone, commit):
                commit = program.resolve(clone, commit or revision)
            program.export(clone, commit, target)
            process.give_back(target)
    except TooSlow as error:
        shutil.rmtree(target, ignore_errors=True)
        raise VelociraptorError(
            f"Fetching {source.public_url}: {error.message}",
            hint="Check the network, or give it more time (VR_FETCH_SECONDS); a clone that was "
            "interrupted starts anew.",
        ) from error
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return Checkout(target, commit)


def find_commit(
    url: str,
    name: str,
    kind: Kind,
    *,
    timeout: float = LOOK_UP,
    check: Callable[[], None] = lambda: None,
) -> str:
    """The full hash of the commit that a tag or branch (of hg also: a commit) is at in the
    repository `url` now; "" if it has none of that name.

    Raises UnreachableRepository, InvalidInput for what can't be a name, and what `check` raises
    meanwhile.
    """
    source = Source(url)
    if problem := revision_problem(name):
        raise InvalidInput(source.public_url, [f"revision: {problem}"])
    return _program(source, kind, timeout, check).remote_commit(name)


def _program(
    source: Source, kind: Kind, timeout: float, check: Callable[[], None] = lambda: None
) -> Git | Hg:
    return (Git if kind == "git" else Hg)(source, timeout=timeout, check=check)


def _refresh(program: Git | Hg, clone: Path, revision: str) -> None:
    # Present while git or hg writes: a clone that was killed half-way may hold stale locks or
    # torn files, and is cheaper to make again than to mend.
    dirty = clone.with_name(f".{clone.name}.dirty")
    fresh = dirty.exists() or not program.usable(clone)
    if not fresh and program.has(clone, revision):
        return
    dirty.touch()
    if fresh:
        shutil.rmtree(clone, ignore_errors=True)
        program.create(clone)
    try:
        program.update(clone, revision)
    except (TooSlow, Unwanted):
        raise
    except VelociraptorError:
        if fresh:
            shutil.rmtree(clone, ignore_errors=True)
        dirty.unlink()
        raise
    dirty.unlink()
