"""node: dependencies from whatever lock file there is."""

from __future__ import annotations

import re
import shlex

from vr.stager.app_folder import AppFolder
from vr.stager.plugins.contract import Staging, StagingFailed
from vr.stager.scripts import RUNTIME, Startup

_USUAL_NAMES = ("server", "app", "index", "main", "application")
# A lock file, and what installs from it.
_INSTALLERS = {
    "package-lock.json": ("npm", "ci", "--omit=dev"),
    "npm-shrinkwrap.json": ("npm", "ci", "--omit=dev"),
    "yarn.lock": ("yarn", "install", "--production", "--frozen-lockfile"),
    "pnpm-lock.yaml": ("pnpm", "install", "--prod", "--frozen-lockfile"),
}


def stage(staging: Staging) -> Startup:
    argv = installer(staging.app)
    if argv:
        staging.install(*argv, env={"NODE_ENV": "production"})
    return Startup(
        f"{RUNTIME} $NODE_ARGS {start_file(staging.app)} $@",
        {"NODE_ENV": "${NODE_ENV:-production}"},
    )


def installer(app: AppFolder) -> tuple[str, ...] | None:
    """The command that installs the app's dependencies; None if it has none."""
    for lock, argv in _INSTALLERS.items():
        if app.exists(lock):
            return argv
    package = app.json("package.json")
    if package and package.get("dependencies"):
        return ("npm", "install", "--omit=dev", "--no-package-lock")
    return None


def start_file(app: AppFolder) -> str:
    """What node runs: of package.json, or the file that is called as such files usually are.

    Raises StagingFailed if there is none.
    """
    scripts = (app.json("package.json") or {}).get("scripts")
    start = scripts.get("start") if isinstance(scripts, dict) else None
    if isinstance(start, str) and start.strip():
        return re.sub(r"^\s*node\s+", "", start).strip()
    candidates = app.glob("*.js")
    if len(candidates) == 1:
        return shlex.quote(candidates[0])
    named = [name for each in _USUAL_NAMES if (name := f"{each}.js") in candidates]
    if not named:
        raise StagingFailed(
            "Unable to determine Node startup command",
            hint='Add "scripts": {"start": "node FILE"} to package.json.',
        )
    return shlex.quote(named[-1])
