"""What an app finds when it starts: its environment, settings and command, as file contents."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from vr.container.script import exports, quoted
from vr.machine.path import SYSTEM_PATH

SETTINGS_PATH = "/settings.yaml"
PROC_SCRIPT = "/proc.sh"
APP_FOLDER = "/app"

_SYSTEM_DEFAULTS = {
    "PATH": SYSTEM_PATH,
    "LANG": "C.UTF-8",
    "HOME": APP_FOLDER,
}
_HOST_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


def resolve_env(env: Mapping[str, str | None], host: Mapping[str, str]) -> dict[str, str | None]:
    """proc.yaml's env with values of the form `$NAME` taken from the host (empty if unset)."""
    resolved: dict[str, str | None] = {}
    for name, value in env.items():
        match = _HOST_VARIABLE.fullmatch(value) if value else None
        resolved[name] = host.get(match.group(1), "") if match else value
    return resolved


def proc_script(env: Mapping[str, str | None], *, command: str, port: int | None) -> str:
    """/proc.sh: `run` executes the app's command, other arguments are executed themselves.

    The order (docs/reference/proc-yaml.md#environment): system defaults, env, the build's
    .profile.d, its .profile, env again, and last what nobody may override. `command` is bash's to
    expand, so `$PORT` works in it.
    """
    config = _assignments(env)
    return f"""\
#!/bin/bash
cd {APP_FOLDER} || exit 1
{exports(_SYSTEM_DEFAULTS)}\
{config}\
for script in {APP_FOLDER}/.profile.d/*.sh {APP_FOLDER}/.profile; do
    [ ! -r "$script" ] || . "$script"
done
unset script
{config}\
{exports(_own(port))}\
export TMPDIR="${{TMPDIR:-/tmp}}"
if [ "${{1-}}" = run ]; then
    exec /bin/bash -c {shlex.quote(command)}
fi
exec "$@"
"""


def app_environment(env: Mapping[str, str | None], *, port: int | None) -> dict[str, str]:
    """What proc.sh would export if there were neither .profile.d nor .profile to ask."""
    values = {**_SYSTEM_DEFAULTS, **env, **_own(port)}
    values["TMPDIR"] = values.get("TMPDIR") or "/tmp"
    return {name: value for name, value in values.items() if value is not None}


def settings_yaml(settings: Mapping[Any, Any]) -> str:
    """settings.yaml: block YAML, as the original wrote it."""
    text: str = yaml.safe_dump(dict(settings), default_flow_style=False, allow_unicode=True)
    return text


def _own(port: int | None) -> dict[str, str]:
    """What nobody may override."""
    own = {"HOME": APP_FOLDER, "APP_SETTINGS_YAML": SETTINGS_PATH}
    return own if port is None else {**own, "PORT": str(port)}


def _assignments(env: Mapping[str, str | None]) -> str:
    lines = []
    for name, value in env.items():
        if value is None:
            lines.append(f"unset {name}\n")
        else:
            lines.append(f"export {name}={quoted(name, value)}\n")
    return "".join(lines)
