"""standalone: any program, by the command that its owner gives."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from vr.specs import procfile
from vr.stager.plugins.contract import Staging, StagingFailed
from vr.stager.scripts import Startup


def stage(staging: Staging) -> Startup:
    """The command is the request's `meta.command`, or the Procfile's `web`."""
    command = command_of(staging)
    _make_executable(staging.app.path)
    exports: dict[str, str | None] = {}
    runtime = staging.properties.runtime_info.name
    if runtime.startswith("python"):
        exports["PYTHONUNBUFFERED"] = "true"
    if runtime.startswith("java"):
        exports["JAVA_OPTS"] = f"-Xms{staging.memory}m -Xmx{staging.memory}m"
    return Startup(command, exports)


def command_of(staging: Staging) -> str:
    """Raises StagingFailed if nobody says how to start the app."""
    given = staging.properties.meta.get("command")
    if isinstance(given, str) and given.strip():
        return given.strip()
    web = procfile.parse(staging.app.text("Procfile") or "").commands.get("web")
    if not web:
        raise StagingFailed(
            "Unable to determine the startup command",
            hint="Give it as properties.meta.command, or as web in a Procfile.",
        )
    # A Procfile's line is meant for a shell of its own.
    return f"bash -c {shlex.quote(web)}"


def _make_executable(folder: Path) -> None:
    for parent, _folders, files in os.walk(folder):
        for name in files:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o744)
