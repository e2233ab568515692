"""/etc/passwd and /etc/group of an app that has a user id of its own, under the name nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vr.container.spec import Mount
from vr.files.atomic import write_atomic
from vr.runner.accounts import Account

_LONGEST = 1 << 20


def identity_mounts(system: Path, folder: Path, who: Account) -> Iterator[Mount]:
    """The mounts of both files, which are written into `folder`.

    `system` is the root whose files they are made from; one that has a link there keeps it.
    """
    name, ids = who.name, f"x:{who.uid}"
    lines = {
        "passwd": f"{name}:{ids}:{who.gid}:{name}:/nonexistent:/usr/sbin/nologin",
        "group": f"nogroup:{ids}:",
    }
    for file, line in lines.items():
        write_atomic(folder / file, with_line(_read(system, file), line), mode=0o444)
        yield Mount(folder / file, f"/etc/{file}", is_file=True, optional=True)


def with_line(text: str, line: str) -> str:
    """The text of such a file with `line` in place of those with its name or its id."""
    name, _password, number = line.split(":")[:3]

    def is_kept(other: str) -> bool:
        fields = other.split(":")
        return fields[0] != name and fields[2:3] != [number]

    return "".join(f"{each}\n" for each in [*filter(is_kept, text.splitlines()), line])


def _read(system: Path, file: str) -> str:
    """The file's text; "" if it is missing, or a link, which could lead out of `system`."""
    if (system / "etc").is_symlink():
        return ""
    try:
        descriptor = os.open(system / "etc" / file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as opened:
        return opened.read(_LONGEST).decode(errors="replace")
