"""What a plugin gets and what it gives back.

A plugin is a function: it gets a `Staging`, looks at the app's files, runs what has to be run
(installing dependencies) and returns a `Startup`. Others are added as entry points of the group
`vr.stager.plugins`, called like the framework.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from vr.errors import VelociraptorError
from vr.stager.app_folder import AppFolder
from vr.stager.request import Properties
from vr.stager.scripts import Startup

INSIDE = "/home/vcap"
"""Where the droplet is seen while staging and while running: tools write such paths down."""


class StagingFailed(VelociraptorError):
    """The app can't be staged; `details` holds the end of what a command printed."""


class Commands(Protocol):
    """Runs commands in the app's folder, in a container, as a user without rights."""

    def run(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Run one; its output goes to the log. Raises StagingFailed if it fails."""

    def run_buildpack(self, reference: str | None) -> tuple[str, dict[str, str]]:
        """Detect (unless one is named) and compile, as vbuild does.

        Returns what the buildpack calls itself, and commands by process type.
        """


@dataclass(frozen=True)
class Staging:
    """One app being staged. `droplet` is the droplet's root on this host."""

    app: AppFolder
    droplet: Path
    properties: Properties
    commands: Commands
    log: Callable[[str], None]
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the stager's configuration says for this framework."""

    @property
    def memory(self) -> int:
        """The app's memory limit in MB."""
        return self.properties.resources.memory

    def install(self, *argv: str, env: Mapping[str, str] | None = None) -> None:
        """Run a command of the framework's own tools; raises StagingFailed."""
        self.log(f"$ {' '.join(argv)}")
        self.commands.run(argv, env or {})

    def folder(self, name: str) -> None:
        """Make a folder beside `app/` that commands may write to."""
        (self.droplet / name).mkdir()
        owner = (self.droplet / "app").stat()
        os.chown(self.droplet / name, owner.st_uid, owner.st_gid)

    def write(self, name: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file beside `app/`, never into it: what is there belongs to the app."""
        path = self.droplet / name
        path.write_text(text)
        path.chmod(mode)


Plugin = Callable[[Staging], Startup]
