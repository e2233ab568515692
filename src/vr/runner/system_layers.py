"""The system below an app that is no proc: an OS image, or the host's own folders, read-only."""

from __future__ import annotations

from pathlib import Path

from vr.container.launch import host_mounts
from vr.container.spec import Mount
from vr.paths import Root
from vr.runner.host_folders import host_skeleton, host_system_mounts
from vr.runner.images import ImageRef, ensure_image


def system_layers(root: Root, image: ImageRef | None) -> tuple[tuple[Path, ...], tuple[Mount, ...]]:
    """The layers of a container's system, and the mounts that complete it.

    Without an image it is the host's: what Debian's packages install here is what apps can use.
    """
    if image is None:
        return (host_skeleton(root),), host_system_mounts()
    return (ensure_image(root, image.url, image.name, image.md5),), host_mounts()
