"""Every path under VR_ROOT, in one place (docs/reference/vrun.md#folders)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = "/apps"
# What VR_HOME is where nobody says it: the folder of a server, not of a host.
DEFAULT_HOME = "/var/lib/velociraptor"


@dataclass(frozen=True)
class Root:
    """The folder on a host under which procs, builds, images and the builder live."""

    path: Path

    @classmethod
    def from_env(cls) -> Root:
        """VR_ROOT, or `/apps`."""
        return cls(Path(os.environ.get("VR_ROOT") or DEFAULT_ROOT))

    @property
    def procs(self) -> Path:
        return self.path / "procs"

    @property
    def builds(self) -> Path:
        """Downloaded build tarballs."""
        return self.path / "builds"

    @property
    def images(self) -> Path:
        """Downloaded image tarballs and their unpacked contents."""
        return self.path / "images"

    @property
    def imager(self) -> Path:
        """Where images are made. Not in `images`, which no ordinary user passes through."""
        return self.path / "imager"

    @property
    def layers(self) -> Path:
        """Unpacked builds: one read-only layer per (build, user)."""
        return self.path / "layers"

    @property
    def ready(self) -> Path:
        """Links to the launchers of procs that are set up, by the identity of their YAML file."""
        return self.path / "ready"

    @property
    def networks(self) -> Path:
        """Who has which private addresses."""
        return self.path / "networks"

    @property
    def locks(self) -> Path:
        return self.path / "locks"

    @property
    def builder(self) -> Path:
        """RAPTOR_HOME if set, as the original builder had it."""
        home = os.environ.get("RAPTOR_HOME")
        return Path(home) if home else self.path / "builder"

    def proc(self, name: str) -> ProcPaths:
        return ProcPaths(self.procs / name)

    def image(self, image_name: str) -> Path:
        return self.images / image_name


@dataclass(frozen=True)
class ProcPaths:
    """What belongs to one proc: the folder `procs/<name>/`."""

    folder: Path

    @property
    def proc_yaml(self) -> Path:
        return self.folder / "proc.yaml"

    @property
    def supervisor_conf(self) -> Path:
        return self.folder / "proc.conf"

    @property
    def lxc_conf(self) -> Path:
        return self.folder / "proc.lxc"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def upper(self) -> Path:
        """The proc's own writable layer; its sibling `work` is overlayfs' work folder."""
        return self.folder / "rootfs"

    @property
    def launcher(self) -> Path:
        """The script that setup leaves ready and run execs."""
        return self.folder / "launch"


def bundled(folder: str) -> Path:
    """Where a folder that ships with Velociraptor lies: `buildpacks`, `examples`, `stack`.

    In an installed package it lies inside; in a checkout it is at the top.
    """
    here = Path(__file__).resolve().parent
    installed = here / "bundled" / folder
    return installed if installed.is_dir() else here.parent.parent / folder
