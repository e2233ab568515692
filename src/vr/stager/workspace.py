"""The folder that one task works in; it goes with the task, however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vr.container import cgroups
from vr.files.scratch import scratch, sweep

_PREFIX = "vstage-"


@dataclass(frozen=True)
class Workspace:
    """Paths of one task, all below a folder that only root can enter."""

    folder: Path

    @property
    def container_name(self) -> str:
        return _PREFIX + self.folder.name

    @property
    def app_zip(self) -> Path:
        return self.folder / "app.zip"

    @property
    def unstaged(self) -> Path:
        """The app as it came."""
        return self.folder / "unstaged"

    @property
    def staged(self) -> Path:
        """What becomes the droplet."""
        return self.folder / "staged"

    @property
    def droplet(self) -> Path:
        return self.folder / "droplet.tgz"

    @property
    def root(self) -> Path:
        """What commands write outside of the droplet."""
        return self.folder / "root"

    @property
    def generated(self) -> Path:
        """For the container's own configuration."""
        return self.folder / "container"


@contextmanager
def workspace(tmp: Path, owner: str, task_id: str) -> Iterator[Workspace]:
    """A new workspace below `tmp`, called after its stager `owner` and its task.

    It is locked by this process while in use. Those of dead processes are left to stagers.
    """
    with scratch(tmp, f"{owner}-{task_id}", sweep_first=False) as folder:
        folder.chmod(0o700)
        yield Workspace(folder)


def remove_abandoned(tmp: Path) -> None:
    """Remove what dead tasks, of whatever stager, left below `tmp`: processes and files."""
    sweep(tmp, abandoned=_end_container)


def _end_container(name: str) -> None:
    cgroups.sweep(_PREFIX + name)
