"""The software that a host gets: this very version of Velociraptor, and what it needs there.

A host needs no package index. What has no compiled parts, or is compiled for the host's Python,
is taken from where the server has it; wheels for another Python are fetched by the server, once.
"""

from __future__ import annotations

import hashlib
import io
import platform
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

import vr
from vr.errors import VelociraptorError

# What runs procs imports, by the names of an index. Python 3.11.2 and older, which Debian 12 has,
# needs async-timeout for redis.
NEEDED = ("isal", "msgspec", "PyYAML", "redis", "supervisor", "async-timeout")
# Rooms of the server's side, and what comes with an installation for them.
_NOT_THERE = frozenset({"server", "cli", "client", "up", "bundled", "__pycache__"})
COMMANDS = {
    "vrun": ("vr.runner.main", "main"),
    "vrun_precise": ("vr.runner.main", "main_precise"),
    "proc_publisher": ("vr.agent.publisher", "main"),
}
_FETCH_SECONDS = 300
Member = tuple[str, Path]


def members(minor: str, machine: str, wheels: Path) -> list[Member]:
    """Every file for a host with this Python and this machine: its path in site-packages, and
    where it lies here. `wheels` is a folder that keeps what had to be fetched.

    Raises VelociraptorError when something can't be had.
    """
    found = [*_own(), *_needed(minor, machine, wheels)]
    return sorted(found)


def release_name(files: list[Member]) -> str:
    """The version with a digest of all content: another one for any change."""
    digest = hashlib.sha256()
    for name, path in files:
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return f"{vr.__version__}-{digest.hexdigest()[:12]}"


def archive(files: list[Member]) -> bytes:
    """A tar.gz of the files, the same for the same content."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz", compresslevel=1) as tar:
        for name, path in files:
            content = path.read_bytes()
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def _own() -> Iterator[Member]:
    """The rooms of Velociraptor that a host needs."""
    top = Path(vr.__path__[0])
    for path in top.rglob("*"):
        inside = path.relative_to(top)
        if path.is_file() and path.suffix != ".pyc" and not _NOT_THERE & set(inside.parts):
            yield f"vr/{inside.as_posix()}", path


def _needed(minor: str, machine: str, wheels: Path) -> Iterator[Member]:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    is_alike = (minor, machine) == (here, platform.machine())
    for name in NEEDED:
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            # Newer Pythons than some host's don't have it installed here.
            yield from _fetched(name, "", minor, machine, wheels)
            continue
        if is_alike or not _is_compiled(installed):
            yield from _installed(installed)
        else:
            yield from _fetched(name, installed.version, minor, machine, wheels)


def _is_compiled(found: Distribution) -> bool:
    return any(file.suffix == ".so" for file in found.files or ())


def _installed(found: Distribution) -> Iterator[Member]:
    for file in found.files or ():
        # Commands lie outside, and would name our Python.
        if ".." in file.parts or file.is_absolute() or file.suffix == ".pyc":
            continue
        path = Path(str(found.locate_file(file)))
        if path.is_file():
            yield file.as_posix(), path


def _fetched(name: str, version: str, minor: str, machine: str, wheels: Path) -> Iterator[Member]:
    """The files of a wheel for that Python, unpacked below `wheels`, fetched if need be."""
    folder = wheels / f"{minor}-{machine}" / f"{name}-{version or 'any'}"
    if not folder.is_dir():
        _fetch(name, version, minor, machine, folder)
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _fetch(name: str, version: str, minor: str, machine: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial")
    platforms = [f"manylinux_2_17_{machine}", f"manylinux_2_28_{machine}"]
    wanted = f"{name}=={version}" if version else name
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"),
            *("--only-binary=:all:", "--python-version", minor, "--dest", str(partial)),
            *(part for one in platforms for part in ("--platform", one)),
            wanted,
        ],
        capture_output=True,
        text=True,
        timeout=_FETCH_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise VelociraptorError(
            f"{wanted} for Python {minor} on {machine} is not here and could not be fetched.",
            details=done.stderr[-2000:],
            hint="Run the server with the host's version of Python, or give it an index once.",
        )
    for wheel in partial.glob("*.whl"):
        _unpack(wheel, partial)
        wheel.unlink()
    partial.rename(folder)


def _unpack(wheel: Path, into: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        for name in file.namelist():
            if ".." in PurePosixPath(name).parts or name.startswith("/"):
                raise VelociraptorError(f"{wheel.name} has a file outside of itself: {name}.")
        file.extractall(into)
