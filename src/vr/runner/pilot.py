"""An app under the pilot inside its container (docs/pilot.md#in-velociraptor).

An app that has a `containerpilot.json`, or whose proc.yaml sets `pilot`, is started by the pilot,
which registers it with Consul or etcd, checks its health and follows its backends.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr.errors import InvalidInput
from vr.files.locks import Lock
from vr.paths import Root
from vr.runner import pilot_archive
from vr.runner.environment import APP_FOLDER

ARCHIVE_PATH = "/containerpilot.pyz"
INLINE_PATH = "/containerpilot.json"
APP_FILE = "containerpilot.json"
_PYTHON = "/usr/bin/python3"
_BUILD_SECONDS = 60
_LONGEST_HOST_NAME = 63


@dataclass(frozen=True)
class Pilot:
    """`config` is the path of the configuration inside; `inline` is its text, if proc.yaml has
    it."""

    config: str
    inline: str | None = None


def choose(setting: bool | str | Mapping[str, Any] | None, app: Path, where: str) -> Pilot | None:
    """The pilot that proc.yaml's `pilot` and the app's files ask for, or None.

    `setting`: None (if the app has the file), False (never), True (it must have the file), the
    file's path in the app, or the configuration itself. `app` is the unpacked build. Raises
    InvalidInput.
    """
    if setting is False:
        return None
    if isinstance(setting, Mapping):
        return Pilot(INLINE_PATH, json.dumps(setting))
    name = setting if isinstance(setting, str) else APP_FILE
    if _is_file_of(app, name):
        return Pilot(f"{APP_FOLDER}/{name}")
    if setting is None:
        return None
    raise InvalidInput(
        where,
        [f"pilot: the build has no file {name!r}"],
        hint="Add the pilot's configuration to the app, or write it here as a mapping.",
    )


def _is_file_of(app: Path, name: str) -> bool:
    """Links of the build may lead nowhere but to its own files."""
    path = (app / name).resolve()
    return path.is_relative_to(app.resolve()) and path.is_file()


def check_system(system: Path, where: str) -> None:
    """The pilot needs a Python in the layer below the build; raises InvalidInput."""
    if not (system / _PYTHON.lstrip("/")).exists():
        raise InvalidInput(
            where,
            [f"pilot: the image has no {_PYTHON}, which runs it"],
            hint="Add python3 to the stack's provisioning script.",
        )


def command(pilot: Pilot, app_command: str) -> str:
    """The shell text that runs `app_command` under the pilot."""
    # The pilot reads its arguments as templates; the app's are meant as they stand.
    literal = app_command.replace("{{", '{{"{{"}}')
    words = [_PYTHON, "-I", "-S", ARCHIVE_PATH, "-config", f"file://{pilot.config}"]
    return f"exec {shlex.join([*words, '/bin/bash', '-c', literal])}"


def host_name(proc_name: str) -> str:
    """A host name of the container's own: the pilot's ids are `<service>-<host name>`.

    At most 63 letters, digits and dashes; procs of different names get different ones.
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "-", proc_name).strip("-")
    digest = hashlib.sha256(proc_name.encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST_HOST_NAME - 9].rstrip('-')}-{digest}"


def ensure_archive(root: Root) -> Path:
    """The pilot as one file, made once for this version of it."""
    path = root.path / "pilot" / f"containerpilot-{pilot_archive.sources_key()}.pyz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with Lock(path.parent / ".lock", wait=_BUILD_SECONDS):
            if not path.exists():
                pilot_archive.build(path)
    return path
