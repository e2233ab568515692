"""Twins: containers like a proc's, beside it, with a writable layer of their own in memory."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from vr.container.network import PrivateNetwork
from vr.container.spec import Container
from vr.paths import ProcPaths, Root
from vr.runner.addresses import claim, release
from vr.runner.layers import all_leased

_UPPER_SIZE = 256 << 20


def twins_folder(paths: ProcPaths) -> Path:
    """Where the files of running twins lie; each subfolder is called like its container."""
    return paths.folder / "twins"


@contextmanager
def twin(
    root: Root, paths: ProcPaths, container: Container, kind: str
) -> Iterator[tuple[Container, Path]]:
    """A twin of the proc's container and the folder for its files, which goes away afterwards.

    Everything is the proc's (layers, mounts, user, limits) but the name and the upper layer, so
    any number of twins may run beside the proc and each other.
    """
    name = f"{container.name}-{kind}{secrets.token_hex(4)}"
    folder = twins_folder(paths) / name
    (folder / "memory").mkdir(parents=True)
    try:
        upper = folder / "memory" / "upper"
        # A new setup may give the proc other layers while this twin still runs in these.
        with all_leased(container.lowers):
            limits = replace(container.limits, watched_disk=None)
            copy = replace(
                container,
                name=name,
                upper=upper,
                upper_disk=None,
                upper_size=_UPPER_SIZE,
                limits=limits,
            )
            if isinstance(container.network, PrivateNetwork):
                # The port is the proc's; addresses of its own let both be at work.
                copy = replace(copy, network=claim(root, name, None))
            yield copy, folder
    finally:
        release(root, name)
        shutil.rmtree(folder, ignore_errors=True)
