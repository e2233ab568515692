"""Commands without a container: for `vstager plugin`, on apps that the caller trusts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr.stager.plugins.contract import INSIDE, StagingFailed


@dataclass(frozen=True)
class HostCommands:
    """Runs commands in the folder `app`, as this user and group."""

    app: Path
    log: Callable[[str], None]
    uid: int
    gid: int

    def run(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        here = [word.replace(INSIDE, str(self.app.parent.resolve())) for word in argv]
        try:
            done = subprocess.run(
                here,
                cwd=self.app,
                env={**os.environ, **env},
                **self._user(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
        except FileNotFoundError:
            raise StagingFailed(f"{argv[0]} is not installed.") from None
        for line in done.stdout.splitlines():
            self.log(line)
        if done.returncode:
            raise StagingFailed(f"{' '.join(here)} ended with status {done.returncode}.")

    def _user(self) -> dict[str, Any]:
        """Only root can be another user, and leave its own groups."""
        if self.uid == os.getuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def run_buildpack(self, reference: str | None) -> tuple[str, dict[str, str]]:
        raise StagingFailed(
            "Buildpacks run in a container only.", hint="Use `vstager stage`, or vbuild."
        )
