"""What a container is, as plain values; everything else in this room follows from them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vr.container.network import PrivateNetwork

Role = Literal["proc", "provision"]
"""`proc`: an app or a build, as a user without any privilege. `provision`: root inside, with what
dpkg and apt need and nothing of the kernel's, for scripts of the operator's own; on the host it is
an ordinary user, so that nothing there which trusts root (LXC's monitors do) listens to it."""

FIRST_PROVISION_ID = 0x7000_0000
"""The host's uid and gid of `provision`'s root; 65,535 more follow. It lies above what useradd
(600,100,000) and systemd-nspawn (1,879,048,191) give away, below where signed numbers end."""
PROVISION_IDS = 65_536

Network = Literal["host", "none"] | PrivateNetwork
"""`host` shares the host's network; `none` is a loopback of its own."""

DEFAULT_TMP_SIZE = 64 << 20
DEFAULT_PIDS = 1024

_NAME = re.compile(r"[A-Za-z0-9_.+-]{1,200}")


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host, seen at `target` (absolute) inside.

    An `optional` mount is left out when its source is missing, or when the image has a symbolic
    link on the way to its target.
    """

    source: Path
    target: str
    read_only: bool = True
    is_file: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Limits:
    """Upper bounds; None means that none is set. Sizes in bytes, `cpus` in CPUs (1.5).

    `memory` is RAM, `memsw` RAM and swap together. Without `tmp_size` /tmp is the root's own.
    `watched_disk` is what may be in `upper`: no quota, but looked at by `run_logged`.
    """

    memory: int | None = None
    memsw: int | None = None
    cpus: float | None = None
    pids: int | None = DEFAULT_PIDS
    tmp_size: int | None = DEFAULT_TMP_SIZE
    nofile: int | None = None
    watched_disk: int | None = None


@dataclass(frozen=True)
class Container:
    """One container.

    `lowers` are read-only layers, top first; `upper` takes what is written. Without lowers,
    `upper` itself is the root, written to directly. One upper, one container at a time. With
    `upper_size` the upper is a tmpfs of so many bytes that vanishes with the container; with
    `upper_disk`, a file with an ext4 file system, it lies on that. Both are mounted on its parent.

    Without `host_name` the host's own is seen, which its hosts file resolves.

    `name` is unique on its host; `NAME-<digits>` is LXC's for its own use, so no other container
    may be called that.
    """

    name: str
    lowers: tuple[Path, ...]
    upper: Path
    uid: int
    gid: int
    mounts: tuple[Mount, ...] = ()
    limits: Limits = field(default_factory=Limits)
    cwd: str = "/"
    role: Role = "proc"
    network: Network = "host"
    read_only: bool = False
    upper_size: int | None = None
    upper_disk: Path | None = None
    host_name: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"not a container name: {self.name!r}")
        if self.role == "proc" and self.uid == 0:
            raise ValueError("a proc's container never runs as root")
        if self.role == "provision" and self.lowers:
            raise ValueError("a provisioning container has no layers: they'd belong to nobody")

    @property
    def owner(self) -> tuple[int, int]:
        """The host's uid and gid of `uid` and `gid`."""
        first = FIRST_PROVISION_ID if self.role == "provision" else 0
        return first + self.uid, first + self.gid
