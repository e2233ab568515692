"""Volumes: folders of the host inside a container (rulings.md, 15)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

_RESERVED = ("/proc", "/sys", "/dev")


def volume_problems(volumes: Sequence[tuple[str, str]]) -> list[str]:
    """What is wrong with the pairs of (host folder, mount point), one sentence each."""
    found = []
    for number, (source, target) in enumerate(volumes, 1):
        if not source.startswith("/") or ".." in PurePosixPath(source).parts:
            found.append(f"pair {number}: the host folder {source!r} is no absolute path")
        problem = mount_point_problem(target)
        if problem:
            found.append(f"pair {number}: {problem}")
    return found


def mount_point_problem(target: str) -> str | None:
    """Why nothing may be mounted at `target`, as a sentence; None if its text is fine."""
    path = PurePosixPath(target)
    if not path.is_absolute():
        return f"the mount point {target!r} is not absolute; write it with a leading '/'"
    if ".." in path.parts:
        return f"the mount point {target!r} contains '..'"
    if not target.isprintable() or target != target.strip():
        return f"the mount point {target!r} holds control characters, or blanks at an end"
    clean = clean_mount_point(target)
    if clean == "/":
        return "the mount point '/' would hide the whole container"
    for reserved in _RESERVED:
        if is_within(clean, reserved):
            return f"the mount point {target!r} lies in {reserved}, which is the kernel's"
    return None


def clean_mount_point(target: str) -> str:
    """The path without doubled or trailing slashes and dots."""
    return "/" + "/".join(part for part in target.split("/") if part not in {"", "."})


def is_within(target: str, folder: str) -> bool:
    """Whether a clean path is `folder` or lies in it."""
    return target == folder or target.startswith(folder + "/")
