"""What a proc runs, from its proc.yaml and its build: a command and the environment for it."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vr.errors import InvalidInput, VelociraptorError
from vr.runner import pilot
from vr.runner.environment import APP_FOLDER, PROC_SCRIPT, app_environment
from vr.specs.proc import ProcYaml
from vr.specs.procfile import parse as parse_procfile
from vr.specs.volumes import clean_mount_point, is_within

_PROFILES = (f"{APP_FOLDER}/.profile.d", f"{APP_FOLDER}/.profile")


@dataclass(frozen=True)
class App:
    """The command is bash's; None in `env` means that a variable is not to be set."""

    command: str
    env: Mapping[str, str | None]
    port: int | None
    has_profile: bool
    """Whether there may be shell scripts that add to the environment."""

    def start(self) -> tuple[dict[str, str], list[str]]:
        """Environment and arguments of the first process; one shell less if there is no profile."""
        if self.has_profile:
            return {}, ["/bin/bash", PROC_SCRIPT, "run"]
        return app_environment(self.env, port=self.port), ["/bin/bash", "-c", self.command]


def read_app(
    proc: ProcYaml,
    proc_yaml: Path,
    build: Path,
    env: Mapping[str, str | None],
    under: pilot.Pilot | None,
) -> App:
    """The app of `proc`, whose build's layer is `build`; raises InvalidInput without a command.

    `env` is proc.yaml's with the host's values in it.
    """
    command = _command(proc, proc_yaml, build)
    if under:
        command = pilot.command(under, command)
        env = {"HOST": proc.host, **env}
    in_build = any(os.path.lexists(build / profile.lstrip("/")) for profile in _PROFILES)
    targets = [clean_mount_point(target) for _source, target in proc.volumes]
    in_volume = any(is_within(profile, target) for profile in _PROFILES for target in targets)
    return App(command, env, proc.port, has_profile=in_build or in_volume)


def _command(proc: ProcYaml, proc_yaml: Path, build: Path) -> str:
    """The text that bash runs: `cmd`, or the Procfile's line for `proc_name`."""
    if proc.cmd:
        return proc.cmd
    where = f"{proc_yaml}: proc_name"
    text = _procfile(build / "app") if proc.build_url else None
    if text is None:
        raise InvalidInput(
            where,
            [f"{proc.proc_name!r} can't be looked up: the build has no Procfile"],
            hint="Add a Procfile to the app, or give the command as cmd.",
        )
    commands = parse_procfile(text).commands
    if proc.proc_name not in commands:
        listed = ", ".join(commands) or "nothing"
        raise InvalidInput(
            where,
            [f"{proc.proc_name!r} is not in the build's Procfile, which has: {listed}"],
        )
    return commands[proc.proc_name]


def _procfile(app: Path) -> str | None:
    """The text of the build's Procfile; a link in the build may lead nowhere but to its files."""
    path = app / "Procfile"
    real = path.resolve()
    if not real.is_relative_to(app.resolve()) or not real.is_file():
        return None
    try:
        return real.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise VelociraptorError(f"{path} can't be read: {error.strerror}.") from None
