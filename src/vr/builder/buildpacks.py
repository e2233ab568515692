"""Buildpacks by reference: a fresh, writable copy per build, and an identity that can be kept.

A reference is `bundled:NAME`, a folder, an archive, or a git or hg repository, each with an
optional `#revision` (for folders and archives: the checksum that is expected).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vr.errors import VelociraptorError
from vr.files.checksums import file_md5
from vr.files.download import fetch
from vr.files.unpack import unpack
from vr.paths import bundled
from vr.repo import Source, checkout
from vr.repo.source import guess_kind
from vr.runner.limits import fetch_seconds

BUNDLED = ("python", "procfile")
"""The catalogue of those that come with Velociraptor, in the order of detection."""

_SCHEME = "bundled:"
_ARCHIVES = (".tgz", ".tar.gz", ".tbz", ".tar.bz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar")


@dataclass(frozen=True)
class Buildpack:
    """A buildpack ready to run: `reference` without revision, full `version`, the copy."""

    reference: str
    version: str
    folder: Path

    @property
    def url(self) -> str:
        """The reference that gives exactly this buildpack again."""
        return f"{self.reference}#{self.version}"


def default_references() -> tuple[str, ...]:
    """The bundled catalogue, as references."""
    return tuple(_SCHEME + name for name in BUNDLED)


def obtain(
    reference: str, target: Path, *, clones: Path, check: Callable[[], None] = lambda: None
) -> Buildpack:
    """Put the buildpack that `reference` names into the new folder `target`.

    `clones` keeps repositories between builds. Raises the Unwanted that `check` raises meanwhile,
    and VelociraptorError if it can't be had, is another version than asked for, or is no buildpack.
    """
    source = Source.parse(reference)
    local = _local_folder(source)
    if local is not None:
        # Before it is copied: whoever names /var or / by mistake, or not, must not fill the disk.
        _check(source, local)
        version = _copy_folder(local, target)
        _expect(source, version)
    elif source.url.lower().endswith(_ARCHIVES):
        version = _unpack_archive(source, target, check)
        _expect(source, version)
    else:
        done = checkout(
            source.url,
            source.revision,
            guess_kind(source),
            target,
            clones=clones,
            timeout=fetch_seconds(),
            check=check,
        )
        version = done.revision
    _check(source, target)
    return Buildpack(source.url, version, target)


def folder_hash(folder: Path) -> str:
    """SHA-1 of a folder's names, contents, links and executable bits: a local pack's version."""
    digest = hashlib.sha1(usedforsecurity=False)
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        digest.update(f"{path.relative_to(folder)}\0".encode())
        if stat.S_ISLNK(status.st_mode):
            digest.update(b"link " + os.fsencode(path.readlink()))
        elif stat.S_ISREG(status.st_mode):
            digest.update(b"run " if status.st_mode & stat.S_IXUSR else b"file ")
            digest.update(hashlib.sha1(path.read_bytes(), usedforsecurity=False).digest())
    return digest.hexdigest()


def _local_folder(source: Source) -> Path | None:
    if source.url.startswith(_SCHEME):
        name = source.url.removeprefix(_SCHEME)
        if name not in BUNDLED:
            raise VelociraptorError(
                f"No buildpack {name!r} comes with Velociraptor.",
                hint=f"Bundled are: {', '.join(BUNDLED)}. Others are given by URL or path.",
            )
        return bundled_folder() / name
    local = source.local_path
    if local is None or not local.is_dir():
        return None
    # A folder under version control is a repository: what counts is what was committed.
    is_repository = any((local / name).exists() for name in (".git", ".hg", "HEAD"))
    return None if is_repository else local


def bundled_folder() -> Path:
    """Where the bundled buildpacks are: VR_BUILDPACKS, or with Velociraptor itself."""
    configured = os.environ.get("VR_BUILDPACKS")
    return Path(configured) if configured else bundled("buildpacks")


def _copy_folder(folder: Path, target: Path) -> str:
    # Bytecode of a buildpack written in Python is none of its content.
    shutil.copytree(
        folder, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    return folder_hash(target)


def _unpack_archive(source: Source, target: Path, check: Callable[[], None]) -> str:
    tarball = target.with_name(f"{target.name}.download")
    fetch(source.url, tarball, check=check)
    version = file_md5(tarball)
    unpack(tarball, target, check=check)
    tarball.unlink()
    entries = list(target.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        # Archives of a repository's host have one folder around everything.
        wrapped = target.with_name(f"{target.name}.wrapped")
        target.rename(wrapped)
        (wrapped / entries[0].name).rename(target)
        wrapped.rmdir()
    for script in (target / "bin").glob("*"):
        if script.is_file() and not script.is_symlink():
            script.chmod(script.stat().st_mode | 0o111)
    return version


def _expect(source: Source, version: str) -> None:
    if source.revision and source.revision != version:
        raise VelociraptorError(
            f"The buildpack {source.public_url} has the content {version}, "
            f"but {source.revision} was asked for.",
            hint="Leave out what follows '#' to build with it as it is now.",
        )


def _check(source: Source, folder: Path) -> None:
    missing = [name for name in ("detect", "compile") if not (folder / "bin" / name).is_file()]
    if missing:
        raise VelociraptorError(
            f"{source.public_url} is no buildpack: it has no bin/{' and no bin/'.join(missing)}.",
            hint="Check the URL, and the revision after '#'.",
        )
    for name in ("detect", "compile", "release"):
        script = folder / "bin" / name
        if script.is_file() and not os.access(script, os.X_OK):
            raise VelociraptorError(
                f"bin/{name} of the buildpack {source.public_url} is not executable.",
                hint=f"git update-index --chmod=+x bin/{name}, commit and push.",
            )
