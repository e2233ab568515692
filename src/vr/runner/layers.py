"""Layers: archives fetched and unpacked once, kept by content, shared read-only.

Every step may be interrupted: a layer appears by one rename, and what an interrupted attempt
left is removed by the next one, which holds the same lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from vr.errors import VelociraptorError
from vr.files.checksums import file_md5, matches, verify
from vr.files.download import Progress, fetch, file_name, local_path
from vr.files.folders import private_folder
from vr.files.locks import Lock

LOCK_SECONDS = 1800
"""How long to wait for another process that unpacks the same layer."""


def obtain(
    url: str,
    downloads: Path,
    md5: str | None,
    progress: Progress | None,
    *,
    sha256: str | None = None,
    check: Callable[[], None] = lambda: None,
) -> tuple[Path, str]:
    """The tarball on this host and its key: a local one where it is, another one downloaded.

    The key is the checksum that was given, or the MD5. The local name carries it, or a checksum
    of the address, because different builds may end in the same file name. A file that somebody
    placed there under the address's own last name is used if it has the checksum that was given.
    Raises ChecksumMismatch, VelociraptorError, and what `check` raises meanwhile.
    """
    given = key(md5, sha256)
    source = local_path(url)
    if source is not None and source.exists():
        verify(source, str(source), md5=md5, sha256=sha256)
        return source, given or file_md5(source)
    placed = downloads / file_name(url)
    if given and placed.is_file() and matches(placed, md5=md5, sha256=sha256):
        os.utime(placed)
        return placed, given
    target = downloads / f"{(given or _address_key(url))[:12]}-{file_name(url)}"
    fetch(url, target, md5=md5, sha256=sha256, progress=progress, check=check)
    os.utime(target)  # gc keeps what was used lately
    return target, given or file_md5(target)


def key(md5: str | None, sha256: str | None) -> str | None:
    """What a layer is called after: one of the checksums given, in lower case."""
    return (sha256 or md5 or "").lower() or None


def ensure_layer(
    final: Path,
    locks: Path,
    fill: Callable[[Path], None],
    *,
    check: Callable[[], None] = lambda: None,
) -> Path:
    """The folder `final`, made by `fill` in a folder beside it unless it is there already.

    Processes that want the same layer at once make it once. Raises what `fill` raises, and
    what `check` raises while another process makes it.
    """
    if final.is_dir():
        return final
    private_folder(locks)
    with Lock(lock_file(final, locks), wait=LOCK_SECONDS, check=check):
        if final.is_dir():
            return final
        new = final.with_name(f".new-{final.name}")
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(parents=True, mode=0o755)
        try:
            fill(new)
            new.rename(final)
        except BaseException:
            shutil.rmtree(new)
            raise
    return final


def lock_file(final: Path, locks: Path) -> Path:
    """What is locked while the layer `final` is made."""
    return locks / f"layer-{final.parent.name}-{final.name}"


@contextmanager
def leased(ensure: Callable[[], Path]) -> Iterator[Path]:
    """The layer that `ensure` gives, safe from `vrun gc` inside the `with` block.

    For as long as nothing else says that it is used: until a proc's record does, or while a
    build or a shell runs in it. The kernel ends the lease with its holder.
    """
    while (descriptor := _hold(layer := ensure())) is None:
        pass  # removed between the two: have it made again
    try:
        yield layer
    finally:
        os.close(descriptor)


@contextmanager
def all_leased(layers: tuple[Path, ...]) -> Iterator[None]:
    """The same for layers that are there; raises VelociraptorError if one is not any more."""

    def existing(layer: Path) -> Path:
        if not layer.is_dir():
            raise VelociraptorError(
                f"The layer {layer} was removed meanwhile.", hint="Run vrun setup again."
            )
        return layer

    with ExitStack() as leases:
        for layer in layers:
            leases.enter_context(leased(partial(existing, layer)))
        yield


def _hold(layer: Path) -> int | None:
    """A descriptor with a shared lock on the layer; None if it was removed."""
    try:
        descriptor = os.open(layer, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_SH)  # gc's own lock lasts for a rename
    try:
        if os.path.samestat(os.fstat(descriptor), layer.stat()):
            return descriptor
    except FileNotFoundError:
        pass
    os.close(descriptor)
    return None


def _address_key(url: str) -> str:
    return hashlib.md5(url.encode()).hexdigest()
