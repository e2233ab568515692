"""From an app's files and its properties to a staged droplet folder (docs/reference/droplet.md)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from vr.stager.app_folder import AppFolder
from vr.stager.detection import mismatches
from vr.stager.plugins.contract import Commands, Plugin, Staging, StagingFailed
from vr.stager.request import Properties
from vr.stager.scripts import Startup, startup_script, stop_script
from vr.stager.task_log import log_line

STAGING_LOG = "logs/staging.log"


def assemble(
    plugin: Plugin,
    source: Path,
    droplet: Path,
    properties: Properties,
    *,
    commands: Commands,
    owner: int,
    log: Callable[[str], None],
    settings: Mapping[str, Any] | None = None,
) -> Startup:
    """Fill the empty folder `droplet`: app, logs, tmp, startup, stop, staging_info.yml.

    `source` is copied, with modes, times and links. The user `owner` may write to the app, not
    beside it. Lines for `log` are also kept in the droplet. Raises StagingFailed if the app does
    not fit its framework, and what the plugin raises.
    """
    app = AppFolder(droplet / "app")
    shutil.copytree(source, app.path, symlinks=True)
    app.path.chmod(0o755)
    for name in ("logs", "tmp"):
        (droplet / name).mkdir(mode=0o755)
    _own(app.path, owner)
    with (droplet / STAGING_LOG).open("a") as kept:

        def tell(message: str) -> None:
            kept.write(log_line(message, datetime.now()))
            log(message)

        _check(app, properties)
        staging = Staging(app, droplet, properties, commands, tell, settings or {})
        startup = plugin(staging)
    _write(droplet / "startup", startup_script(startup), 0o500)
    _write(droplet / "stop", stop_script(startup), 0o500)
    _write(droplet / "staging_info.yml", _staging_info(properties, startup), 0o444)
    return startup


def _check(app: AppFolder, properties: Properties) -> None:
    framework = properties.framework_info
    problems = mismatches(app, framework.detection)
    if problems:
        raise StagingFailed(f"The app is no {framework.name} app: {'; '.join(problems)}.")


def _staging_info(properties: Properties, startup: Startup) -> str:
    info = {
        "framework": properties.framework_info.name,
        "runtime": properties.runtime_info.name
        or properties.framework_info.default_runtime
        or None,
        "start_command": startup.command,
        **startup.info,
    }
    text: str = yaml.safe_dump(info, sort_keys=False, width=1000)
    return text


def _own(folder: Path, uid: int) -> None:
    if os.geteuid() != 0:
        return
    os.chown(folder, uid, uid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), uid, uid, follow_symlinks=False)


def _write(path: Path, text: str, mode: int) -> None:
    path.write_text(text)
    path.chmod(mode)
