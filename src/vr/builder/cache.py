"""Buildpack caches: one per app, buildpack and image, replaced only by a build that succeeded."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from vr.errors import VelociraptorError
from vr.files.folders import private_folder
from vr.files.locks import Lock

_LOCK_SECONDS = 300


class BuildCache:
    """The caches of one app; `folder` is `<builder>/cache/<app>-<md5 of its URL>`."""

    def __init__(self, folder: Path, *, check: Callable[[], None] = lambda: None) -> None:
        """What `check` raises ends the waiting for another build of the app that is at them."""
        self.folder = folder
        self._check = check

    def restore(self, key: str, target: Path) -> bool:
        """Put a copy at the new folder `target`; False, and no folder, if nothing is kept."""
        kept = self.folder / key
        with self._lock():
            if not kept.is_dir():
                return False
            # cp keeps hard links, which buildpacks make between cache and app; shutil does not.
            copied = subprocess.run(
                ["cp", "-a", "--reflink=auto", "--", str(kept), str(target)],
                capture_output=True,
                check=False,
            )
        if copied.returncode:
            raise VelociraptorError(
                f"The build cache {kept} can't be copied.",
                hint="Delete it: it is made again.",
                details=copied.stderr.decode(errors="replace"),
            )
        return True

    def save(self, key: str, source: Path) -> None:
        """Keep `source`, which is moved away, as the cache; a missing folder keeps the old one."""
        if source.is_symlink() or not source.is_dir():
            return
        kept, old = self.folder / key, self.folder / f".old-{key}"
        with self._lock():
            shutil.rmtree(old, ignore_errors=True)
            # Killed in between, the next build starts with a cold cache, which is no harm.
            if kept.exists():
                kept.rename(old)
            source.rename(kept)
            shutil.rmtree(old, ignore_errors=True)

    def _lock(self) -> Lock:
        private_folder(self.folder)  # what lies in it is as readable as the app wants it
        return Lock(self.folder / ".lock", wait=_LOCK_SECONDS, check=self._check)


def cache_key(buildpack_url: str, image: str) -> str:
    """Caches hold compiled code: another buildpack or another image gets another one."""
    text = f"{buildpack_url} {image}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
