"""What an archive may contain: decided by name and type alone, without touching a disk."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from vr.errors import VelociraptorError

Kind = Literal["build", "image"]
"""A build becomes `/app` of its containers, an image their whole root: whose file modes and owners
count depends on it."""


class Action(Enum):
    FOLDER = "folder"
    FILE = "file"
    SYMLINK = "symlink"
    HARDLINK = "hard link"
    SKIP = "skip"


@dataclass(frozen=True)
class Limits:
    """How much an archive may unpack to: bytes of content, and entries."""

    size: int = 8 << 30
    entries: int = 1_000_000


class UnsafeArchive(VelociraptorError):
    """An archive would write outside its folder, or more than is allowed."""


@dataclass
class Gate:
    """Decides about each entry in turn; remembers which paths are links.

    Sound only for unpacking into a new, empty folder: then the symlinks seen here are all that
    exist, and no path can lead out of the folder except through one of them or through `..`.
    """

    archive: str
    kind: Kind
    limits: Limits = Limits()
    size: int = 0
    entries: int = 0
    _symlinks: set[str] = field(default_factory=set)

    def admit(self, entry: tarfile.TarInfo) -> tuple[Action, str]:
        """What to do with the entry, and its path relative to the folder ("" is the folder).

        Raises UnsafeArchive, naming the entry, if it must not be unpacked.
        """
        path = self._inside(entry.name, "its path", entry)
        self._count(entry)
        self._refuse_symlinked_parent(path, entry)
        if entry.isdir():
            self._symlinks.discard(path)
            return Action.FOLDER, path
        if not path:
            raise self._unsafe(entry, "takes the place of the whole folder")
        if entry.issym():
            # Wherever it leads: nothing is written through it here, and in a container, which is
            # the only place that follows it, all that it can reach is the container's.
            self._symlinks.add(path)
            return Action.SYMLINK, path
        if entry.islnk():
            link = self._inside(entry.linkname, "the hard link's target", entry)
            self._refuse_symlinked_parent(link, entry)
            if link in self._symlinks:
                self._symlinks.add(path)
            return Action.HARDLINK, path
        self._symlinks.discard(path)
        # Nodes, fifos and sockets: a container's /dev is made by LXC, the others are live objects.
        return (Action.FILE if entry.isreg() else Action.SKIP), path

    def link_target(self, entry: tarfile.TarInfo) -> str:
        """The path, relative to the folder, of an admitted hard link's target."""
        return self._inside(entry.linkname, "the hard link's target", entry)

    def _count(self, entry: tarfile.TarInfo) -> None:
        self.entries += 1
        if self.entries > self.limits.entries:
            raise UnsafeArchive(f"{self.archive} has more than {self.limits.entries} entries.")
        if entry.size < 0:
            raise self._unsafe(entry, f"it says that it has {entry.size} bytes")
        if entry.isreg():
            self.size += entry.size
        if self.size > self.limits.size:
            raise UnsafeArchive(
                f"{self.archive} unpacks to more than {self.limits.size} bytes "
                f"(reached at {entry.name!r})."
            )

    def _inside(self, name: str, what: str, entry: tarfile.TarInfo) -> str:
        if name.startswith("/"):
            raise self._unsafe(entry, f"{what} is absolute: {name!r}")
        parts = [part for part in name.split("/") if part not in {"", "."}]
        if ".." in parts:
            raise self._unsafe(entry, f"{what} contains '..': {name!r}")
        return "/".join(parts)

    def _refuse_symlinked_parent(self, path: str, entry: tarfile.TarInfo) -> None:
        if not self._symlinks:
            return
        end = path.find("/")
        while end != -1:
            if path[:end] in self._symlinks:
                raise self._unsafe(entry, f"its path goes through the symbolic link {path[:end]!r}")
            end = path.find("/", end + 1)

    def _unsafe(self, entry: tarfile.TarInfo, why: str) -> UnsafeArchive:
        return UnsafeArchive(
            f"{self.archive}: the entry {entry.name!r} is refused: {why}.",
            hint="Pack the archive again without it.",
        )
