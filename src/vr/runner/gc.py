"""vrun gc: remove what no proc on this host needs, beside procs, setups and builds at work.

A layer is in use if a proc's record names it, or if somebody holds a lease on it (layers.py): a
setup that has not written its record yet, a build, a shell. It is first renamed, under a lock
that no lease can share, and only then removed, so that nobody meets half a layer.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vr.errors import Busy
from vr.files.locks import Lock
from vr.paths import Root
from vr.runner.layers import lock_file
from vr.runner.setup_record import layers_in_use

_DAY = 86400.0
_LEAST_AGE = 3600.0
"""Downloads in use hold no lease, but are read within minutes."""


@dataclass(frozen=True)
class Removed:
    path: Path
    size: int
    """Bytes on disk."""


@dataclass(frozen=True)
class _Layer:
    path: Path
    """What containers use, and leases hold."""
    whole: Path
    """What goes away."""


def collect(root: Root, *, days: float = 0, dry_run: bool = False) -> Iterator[Removed]:
    """Remove (or with `dry_run` only name) layers and downloads that nothing needs, one by one.

    What was made or fetched within the last `days` stays. Raises Busy while another gc runs, and
    VelociraptorError if a proc's record is damaged, before anything is removed.
    """
    before = time.time() - days * _DAY
    with Lock(root.locks / "gc"):
        kept = layers_in_use(root.procs)
        for layer in list(_layers(root)):
            if layer.path in kept or _made(layer.path) > before:
                kept.add(layer.path)
            elif removed := _remove_layer(layer, root, dry_run):
                yield removed
            else:
                kept.add(layer.path)
        yield from _downloads(root, kept, min(before, time.time() - _LEAST_AGE), dry_run)
        if not dry_run:
            _remove_left_overs(root)


def _layers(root: Root) -> Iterator[_Layer]:
    for path in _visible(root.layers):
        yield _Layer(path, path)
    for image in _visible(root.images):
        for whole in _visible(image):
            if (whole / "contents").is_dir():
                yield _Layer(whole / "contents", whole)


def _remove_layer(layer: _Layer, root: Root, dry_run: bool) -> Removed | None:
    """None if somebody uses it after all."""
    try:
        descriptor = os.open(layer.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Again, under the lock: a setup may have ended its lease, having written its record.
        if layer.path in layers_in_use(root.procs):
            return None
        removed = Removed(layer.whole, _size(layer.whole))
        if dry_run:
            return removed
        gone = layer.whole.with_name(f".gone-{layer.whole.name}")
        if gone.exists():
            shutil.rmtree(gone)
        layer.whole.rename(gone)
    except BlockingIOError:
        return None
    finally:
        os.close(descriptor)
    shutil.rmtree(gone)
    # A lock file may go while it is locked: whoever waits for it notices.
    with suppress(Busy), Lock(lock_file(layer.whole, root.locks)) as lock:
        lock.path.unlink(missing_ok=True)
    return removed


def _downloads(root: Root, kept: set[Path], before: float, dry_run: bool) -> Iterator[Removed]:
    """Tarballs, finished or not, that no kept layer was made from and nobody used lately."""
    marks = {mark for layer in kept for mark in _marks(layer)}
    for folder in (root.builds, *_visible(root.images)):
        for file in _visible(folder):
            if not file.is_file() or file.name.split("-")[0] in marks:
                continue
            if file.stat().st_mtime < before and not _being_written(file):
                removed = Removed(file, _size(file))
                if not dry_run:
                    file.unlink(missing_ok=True)
                yield removed


def _marks(layer: Path) -> tuple[str, str]:
    """How the tarball's name may begin, for a build's layer and for an image's contents."""
    return layer.name[:12], layer.parent.name[:12]


def _being_written(file: Path) -> bool:
    with file.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _remove_left_overs(root: Root) -> None:
    """What killed processes left: layers half made or half removed, links to procs long gone."""
    for folder in (root.layers, *_visible(root.images)):
        for gone in _hidden(folder, ".gone-"):
            shutil.rmtree(gone)
        for new in _hidden(folder, ".new-"):
            final = new.with_name(new.name.removeprefix(".new-"))
            with suppress(Busy), Lock(lock_file(final, root.locks)):
                if new.exists():
                    shutil.rmtree(new)
    if root.ready.is_dir():
        for link in root.ready.iterdir():
            if not link.exists():
                link.unlink(missing_ok=True)


def _visible(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _hidden(folder: Path, prefix: str) -> list[Path]:
    return sorted(folder.glob(f"{prefix}*")) if folder.is_dir() else []


def _made(layer: Path) -> float:
    try:
        return layer.stat().st_ctime
    except FileNotFoundError:
        return 0.0


def _size(path: Path) -> int:
    """Bytes on disk; hard links are counted once."""
    seen: dict[tuple[int, int], int] = {}
    for name in (path, *path.rglob("*")):
        with suppress(FileNotFoundError):
            status = name.lstat()
            seen[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(seen.values())
