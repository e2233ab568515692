"""Layers: archives fetched and unpacked once, kept by content, shared read-only.

Every step may be interrupted: a layer appears by one rename, and what an interrupted attempt
left is removed by the next one, which holds the same lock.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from vr.files.checksums import file_md5, verify
from vr.files.download import Progress, fetch, file_name, local_path
from vr.files.locks import Lock

LOCK_SECONDS = 1800
"""How long to wait for another process that unpacks the same layer."""


def obtain(
    url: str, downloads: Path, md5: str | None, progress: Progress | None
) -> tuple[Path, str]:
    """The tarball on this host and its MD5: a local one where it is, another one downloaded.

    The local name carries the checksum, or a checksum of the address, because different builds
    may end in the same file name. Raises ChecksumMismatch and VelociraptorError.
    """
    source = local_path(url)
    if source is not None and source.exists():
        if md5:
            verify(source, str(source), md5=md5)
            return source, md5.lower()
        return source, file_md5(source)
    target = downloads / f"{(md5 or _address_key(url)).lower()[:12]}-{file_name(url)}"
    fetch(url, target, md5=md5, progress=progress)
    return target, md5.lower() if md5 else file_md5(target)


def ensure_layer(final: Path, locks: Path, fill: Callable[[Path], None]) -> Path:
    """The folder `final`, made by `fill` in a folder beside it unless it is there already.

    Processes that want the same layer at once make it once. Raises what `fill` raises.
    """
    if final.is_dir():
        return final
    with Lock(locks / f"layer-{final.parent.name}-{final.name}", wait=LOCK_SECONDS):
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


def _address_key(url: str) -> str:
    import hashlib

    return hashlib.md5(url.encode()).hexdigest()
