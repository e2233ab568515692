"""The DEA's folders and those of an instance (docs/reference/dea.md#folders)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from vr.container import cgroups

_PREFIX = "vdea-"


@dataclass(frozen=True)
class Folders:
    """Everything below `base_dir`."""

    base: Path

    @property
    def droplets(self) -> Path:
        return self.base / "staged"

    @property
    def instances(self) -> Path:
        return self.base / "instances"

    @property
    def snapshot(self) -> Path:
        return self.base / "db" / "instances.json"

    def instance(self, instance_id: str) -> InstanceFolder:
        return InstanceFolder(self.instances / instance_id)

    def make(self) -> None:
        for folder in (self.instances, self.droplets, self.snapshot.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)

    def clear_instances(self) -> None:
        """End and remove whatever an earlier DEA left here."""
        for folder in self.instances.iterdir():
            cgroups.sweep(container_name(folder.name))
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class InstanceFolder:
    path: Path

    @property
    def droplet(self) -> Path:
        """The unpacked droplet: what the app sees as its home."""
        return self.path / "droplet"

    @property
    def upper(self) -> Path:
        return self.path / "upper"

    @property
    def generated(self) -> Path:
        return self.path / "container"

    @property
    def log(self) -> Path:
        """What the startup script itself says, and why we ended the app."""
        return self.path / "startup.log"

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def container_name(instance_id: str) -> str:
    # `NAME-<digits>` would be LXC's own.
    return f"{_PREFIX}{instance_id}-i"
