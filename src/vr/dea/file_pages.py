"""Instances' files for whoever has the credentials: /droplets/INSTANCE/… (docs/reference/dea.md).

The files are the app's, which may do anything with them at any moment: what counts is where an
opened file is, not what its path looked like before.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from vr.bus.pages import Page, Pages

_PREFIX = "/droplets/"
_LISTED = ("app", "logs", "tomcat")
"""Of a droplet's own folder; the rest is ours."""
_REFUSED = ("startup", "stop")

_FORBIDDEN = Page(b"forbidden\n", status=403)
_NOT_FOUND = Page(b"not found\n", status=404)


def file_pages(droplet_of: Callable[[str], Path | None]) -> Pages:
    """Pages for files, and listings for folders.

    `droplet_of` gives the folder of an instance's droplet, None if there is no such instance.
    """

    def page(path: str) -> Page:
        instance, _slash, rest = path.removeprefix(_PREFIX).partition("/")
        root = droplet_of(instance) if path.startswith(_PREFIX) and instance else None
        if root is None:
            return _NOT_FOUND
        parts = [part for part in rest.split("/") if part not in ("", ".")]
        if ".." in parts or "\0" in rest or parts[:1] in [[name] for name in _REFUSED]:
            return _FORBIDDEN
        return _page(root.resolve(), parts)

    return page


def _page(root: Path, parts: list[str]) -> Page:
    try:
        # Only a handle: opening a device or a fifo for real could do something.
        handle = os.open(root.joinpath(*parts), os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return _NOT_FOUND
    try:
        really = Path(f"/proc/self/fd/{handle}").readlink()
        inside = really.relative_to(root) if really.is_relative_to(root) else None
        kind = stat.S_IFMT(os.fstat(handle).st_mode)
        if inside is None or str(inside) in _REFUSED or kind not in (stat.S_IFREG, stat.S_IFDIR):
            return _FORBIDDEN
        if kind == stat.S_IFREG:
            return Page(open(f"/proc/self/fd/{handle}", "rb"))  # noqa: PTH123
        return Page(_listing(handle, _LISTED if really == root else None).encode())
    except OSError:
        return _NOT_FOUND
    finally:
        os.close(handle)


def _listing(handle: int, only: tuple[str, ...] | None) -> str:
    """Names and sizes, a line each, as the original's clients read them."""
    lines = []
    with os.scandir(f"/proc/self/fd/{handle}") as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if only is not None and entry.name not in only:
                continue
            folder = entry.is_dir(follow_symlinks=False)
            name = f"{entry.name}/" if folder else entry.name
            size = "-" if folder else _size(entry.stat(follow_symlinks=False).st_size)
            lines.append(f"{name:<35} {size:>10}\n")
    return "".join(lines)


def _size(count: float) -> str:
    for unit in "BKM":
        if count < 1000:
            return f"{count:.0f}B" if unit == "B" else f"{count:.1f}{unit}"
        count /= 1024
    return f"{count:.1f}G"
