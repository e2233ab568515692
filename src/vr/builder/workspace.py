"""The folder that one build works in: the upper layer of its container, filled beforehand.

All that a buildpack gets lies in that one layer, hence on one file system: buildpacks move and
hard-link between cache and app. Nothing in it is a mount, so a killed build leaves files only,
and the next build removes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vr.container import cgroups
from vr.files.scratch import scratch

BUILD_UID = BUILD_GID = 65534
"""`nobody` and `nogroup`: without rights, but with a passwd entry, which git and ssh want."""


_PREFIX = "vbuild-"


@dataclass(frozen=True)
class Workspace:
    """Paths of one build, on the host; `inside` translates them for the container."""

    folder: Path
    app_folder: str

    @property
    def container_name(self) -> str:
        return _PREFIX + self.folder.name

    @property
    def upper(self) -> Path:
        return self.folder / "root"

    @property
    def generated(self) -> Path:
        """For the container's own configuration."""
        return self.folder / "container"

    @property
    def app(self) -> Path:
        """BUILD_DIR: the same path in every build of an app, since it ends up in its files."""
        return self.upper / "build" / self.app_folder

    @property
    def cache(self) -> Path:
        """CACHE_DIR; one level down, because buildpacks delete and recreate it."""
        return self.upper / "cache" / "buildpack_cache"

    def kept_cache(self, pack: Path) -> Path:
        """Where the cache of an earlier build with this buildpack waits until it is chosen."""
        return self.upper / "cache" / pack.name

    @property
    def env(self) -> Path:
        return self.upper / "env"

    @property
    def home(self) -> Path:
        return self.upper / "app"

    @property
    def result(self) -> Path:
        return self.upper / "result"

    def buildpack(self, number: int, name: str) -> Path:
        return self.upper / "buildpacks" / f"{number}_{name}"

    def inside(self, path: Path) -> str:
        """The path that the container sees."""
        return f"/{path.relative_to(self.upper)}"

    def hand_over(self) -> None:
        """Give the build user what it may change. The folders above stay root's, so that none of
        the paths here can be replaced by a link to somewhere else on the host."""
        for path in (self.app, self.cache.parent, self.env, self.home, self.result):
            _give(path)
        for pack in (self.upper / "buildpacks").iterdir():
            _give(pack)


@contextmanager
def workspace(work: Path, app_name: str, app_folder: str) -> Iterator[Workspace]:
    """A new workspace below `work`, removed afterwards."""
    with scratch(work, app_name, abandoned=lambda name: cgroups.sweep(_PREFIX + name)) as folder:
        space = Workspace(folder, app_folder)
        _lay_out(space)
        yield space


def _lay_out(space: Workspace) -> None:
    for path in (space.generated, space.env, space.home, space.result, space.cache.parent):
        path.mkdir(parents=True)
        path.chmod(0o755)
    for path in (space.upper, space.app.parent, space.upper / "buildpacks"):
        path.mkdir(exist_ok=True)
        path.chmod(0o755)
    space.env.chmod(0o700)


def _give(path: Path) -> None:
    os.chown(path, BUILD_UID, BUILD_GID, follow_symlinks=False)
    if path.is_symlink() or not path.is_dir():
        return
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(folder, name), BUILD_UID, BUILD_GID, follow_symlinks=False)
