"""OS images: downloaded and unpacked once per content, shared read-only by all containers."""

from __future__ import annotations

from pathlib import Path

from vr.files.download import Progress
from vr.paths import Root


def ensure_image(
    root: Root, url: str, name: str, md5: str | None = None, *, progress: Progress | None = None
) -> Path:
    """The folder with the unpacked image, fetched and unpacked first if need be."""
    raise NotImplementedError
