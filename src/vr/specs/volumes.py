"""Volumes: folders of the host inside a container (docs/reference/proc-yaml.md#volumes)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

DEFAULT_VOLUME_ROOTS = "/srv"
_RESERVED = ("/proc", "/sys", "/dev")
# A file system of the proc's own, as large as its `tmp_size`.
_OWN = "/tmp"
_HOSTS = ("/proc", "/sys", "/dev", "/etc", "/run", "/var/run", "/boot")
"""What is the host's own: its kernel, its secrets, the sockets of its services."""


def volume_problems(volumes: Sequence[tuple[str, str]]) -> list[str]:
    """What is wrong with the pairs of (host folder, mount point), one sentence each."""
    found = []
    first: dict[str, int] = {}
    for number, (source, target) in enumerate(volumes, 1):
        problem = mount_point_problem(target) or _own_problem(target)
        earlier = first.setdefault(clean_mount_point(target), number)
        if not problem and earlier != number:
            problem = f"the mount point {target!r} is that of pair {earlier}, too"
        problems = (_host_folder_problem(source), problem)
        found += [f"pair {number}: {one}" for one in problems if one]
    return found


def _host_folder_problem(source: str) -> str | None:
    if not source.startswith("/") or ".." in PurePosixPath(source).parts:
        return f"the host folder {source!r} is no absolute path"
    if not source.isprintable() or source != source.strip():
        return f"the host folder {source!r} holds control characters, or blanks at an end"
    return None


def kept_folder_problems(volumes: Sequence[tuple[str, str]]) -> list[str]:
    """Which of the host folders no app may have, one sentence each.

    Apart from `volume_problems`, since what was set up once must be torn down all the same.
    """
    found = (
        (number, host_folder_problem(clean_mount_point(source)))
        for number, (source, _target) in enumerate(volumes, 1)
    )
    return [f"pair {number}: {problem}" for number, problem in found if problem]


def outside_problems(volumes: Sequence[tuple[str, str]], roots: Sequence[str]) -> list[str]:
    """Which of the host folders lie in none of `roots`, one sentence each.

    `roots` are those of VR_VOLUME_ROOTS, absolute paths. Links are not looked at: see
    vr.runner.volumes.
    """
    return [
        f"pair {number}: the host folder {source!r} lies in none of VR_VOLUME_ROOTS "
        f"({', '.join(roots) or 'which is empty'}); only admins may use others"
        for number, (source, _target) in enumerate(volumes, 1)
        if not lies_in_one(source, roots)
    ]


def lies_in_one(folder: str, roots: Sequence[str]) -> bool:
    """Whether `folder` is one of `roots`, or lies in one."""
    clean = clean_mount_point(folder)
    return any(is_within(clean, clean_mount_point(root).rstrip("/")) for root in roots)


def host_folder_problem(folder: str, kept: Sequence[str] = _HOSTS) -> str | None:
    """Why no app may have the host's `folder`, a clean path: it lies in one of `kept` or holds it.

    A sentence; None if there is nothing against it.
    """
    for other in kept:
        if is_within(folder, other):
            return f"the host folder {folder!r} lies in {other}, which is no app's"
        if folder == "/" or is_within(other, folder):
            return f"the host folder {folder!r} holds {other}, which is no app's"
    return None


def _own_problem(target: str) -> str | None:
    if is_within(clean_mount_point(target), _OWN):
        return f"the mount point {target!r} lies in {_OWN}, which is each proc's own"
    return None


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
