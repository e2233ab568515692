"""Droplets on this host, by their SHA-1: fetched once, checked, the oldest forgotten."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vr.errors import VelociraptorError
from vr.files.checksums import ChecksumMismatch
from vr.files.download import fetch
from vr.files.locks import Lock

_KEPT = 50
_WAIT_SECONDS = 600


class DropletCache:
    """The folder `staged/`; instances that need the same droplet at once fetch it once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def obtain(self, sha1: str, uri: str | None, file: str | None) -> Path:
        """The tarball, from here, from the shared `file`, or from `uri`.

        Raises ChecksumMismatch if it is not what was asked for, VelociraptorError if it can't be
        had.
        """
        kept = self.folder / f"{sha1}.tgz"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with Lock(self.folder / f".{sha1}.lock", wait=_WAIT_SECONDS) as lock:
            if not kept.exists():
                self._bring(kept, sha1, uri, file)
            kept.touch()
            lock.path.unlink()
        self._forget_oldest()
        return kept

    def _bring(self, kept: Path, sha1: str, uri: str | None, file: str | None) -> None:
        source = file if file and Path(file).is_file() else uri
        if not source:
            raise VelociraptorError(f"The droplet {sha1} is not at {file}, and no URI is given.")
        new = kept.with_suffix(".new")
        new.unlink(missing_ok=True)
        try:
            fetch(source, new)
            with new.open("rb") as opened:
                found = hashlib.file_digest(opened, "sha1").hexdigest()
            if found != sha1:
                raise ChecksumMismatch(f"SHA1 mismatch: the droplet is {found}, not {sha1}.")
            new.replace(kept)
        finally:
            new.unlink(missing_ok=True)

    def _forget_oldest(self) -> None:
        by_age = sorted(self.folder.glob("*.tgz"), key=lambda path: path.stat().st_mtime)
        for path in by_age[:-_KEPT]:
            path.unlink(missing_ok=True)
