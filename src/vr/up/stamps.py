"""What the stack's parts run, told by stamps, and what is installed.

A stamp is `<code>.<configuration>`: digests of the source that a part was started from, and of
all that it was told. It stands in the environment of the process, so that it is true whoever
started it, and whatever was killed in between.
"""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import vr

VARIABLE = "VELOCIRAPTOR_STAMP"
_DIGITS = 12


def installed_code(package: Path = Path(vr.__file__).parent) -> str:
    """The digest of what a process started now would run: our source, and the versions of
    Python and of all that is installed beside it."""
    found = hashlib.sha256(sys.version.encode())
    for path in sorted(package.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            found.update(f"\0{path.relative_to(package)}\0".encode())
            found.update(path.read_bytes())
    folders = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    for folder in sorted(folders):
        for name in sorted(path.name for path in folder.glob("*.dist-info")):
            found.update(f"\0{name}".encode())
    return found.hexdigest()[:_DIGITS]


def stamp(code: str, texts: Iterable[str]) -> str:
    """The stamp of a part that runs this code (empty: not ours) and was told these texts."""
    found = hashlib.sha256()
    for text in texts:
        found.update(f"{len(text)}\0{text}".encode())
    return f"{code}.{found.hexdigest()[:_DIGITS]}"


def code_of(stamp: str) -> str:
    """The digest of the code; empty if the part runs none of ours, or wasn't stamped."""
    return stamp.partition(".")[0]


def of_process(pid: int) -> str:
    """The stamp that the process was started with; empty if it has none, or has ended."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    prefix = f"{VARIABLE}=".encode()
    return next((e.removeprefix(prefix).decode() for e in entries if e.startswith(prefix)), "")
