"""Checksums of files, computed while streaming."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vr.errors import VelociraptorError

CHUNK = 1 << 20


class ChecksumMismatch(VelociraptorError):
    """A file is not the one that was asked for."""


def file_md5(path: Path) -> str:
    """Hex MD5 of a file's content (the identity of builds and images)."""
    return _digest(path, "md5")


def matches(path: Path, *, md5: str | None = None, sha256: str | None = None) -> bool:
    """Whether the file has every checksum given; True if none is given."""
    return not _differences(path, md5, sha256)


def verify(path: Path, source: str, *, md5: str | None = None, sha256: str | None = None) -> None:
    """Raise ChecksumMismatch, with both sums, unless `path` has every checksum given.

    `source` is what to call the file in the message.
    """
    for kind, expected, found in _differences(path, md5, sha256):
        raise ChecksumMismatch(
            f"{source} has the {kind} checksum {found}, but {expected} was expected.",
            hint=f"Correct the {kind} checksum where it is written, or upload the right file.",
        )


def _differences(path: Path, md5: str | None, sha256: str | None) -> list[tuple[str, str, str]]:
    differences = []
    for kind, expected in (("md5", md5), ("sha256", sha256)):
        if expected:
            found = _digest(path, kind)
            if found != expected.lower():
                differences.append((kind, expected, found))
    return differences


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()
