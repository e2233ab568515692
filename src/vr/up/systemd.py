"""Velociraptor as a service of systemd: there after a reboot, with the settings of now.

The unit runs `vr up` and `vr down` as its user would, so that order and checks are the same.
Settings are kept in a file that only root reads.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vr.errors import InvalidInput, VelociraptorError
from vr.files.atomic import write_atomic
from vr.machine.path import SYSTEM_PATH
from vr.paths import DEFAULT_HOME
from vr.settings.table import TABLE
from vr.up.config import Config, for_builds

_UNITS = Path("/etc/systemd/system")
_RUNS_HERE = Path("/run/systemd/system")
# `vr up` waits for each part and proc, and migrates; `vr down` for all procs to end.
_START_SECONDS = 600
_STOP_SECONDS = 180
_LOG_LINES = "40"


@dataclass(frozen=True)
class Service:
    """The unit of one installation."""

    name: str
    file: Path
    environment_file: Path

    @property
    def is_there(self) -> bool:
        """Whether systemd has the installation in its care."""
        return runs_here() and self.file.exists()

    def settings(self) -> dict[str, str]:
        """The variables that it is given; none if there is no such service."""
        try:
            return environment_of(self.environment_file.read_text())
        except FileNotFoundError:
            return {}

    def is_active(self) -> bool:
        """Whether systemd knows that it runs, or starts or stops it just now."""
        return _ask("is-active", self.name) in {"active", "activating", "reloading", "deactivating"}


def service_of(config: Config) -> Service:
    """The unit that this installation has, or would have."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", str(config.home)).strip("-")
    stem = "velociraptor" if config.home == Path(DEFAULT_HOME) else f"velociraptor-{words}"
    name = f"{stem}.service"
    return Service(name, _UNITS / name, config.secrets / "environment")


def runs_here() -> bool:
    """Whether this machine is systemd's."""
    return _RUNS_HERE.is_dir()


def install(config: Config, bin_folder: Path, env: Mapping[str, str]) -> Service:
    """Write the unit and its settings (those of `env`), and have it start with the machine.

    Settings that it has from before stay. Starts nothing. Raises InvalidInput where systemd
    doesn't run.
    """
    if not runs_here():
        raise InvalidInput(
            "this machine",
            ["systemd does not run here, so nothing can be started with the machine"],
            hint="Have vr up called by what starts services here.",
        )
    service = service_of(config)
    service.environment_file.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    settings = service.settings() | kept(env)
    write_atomic(service.environment_file, environment_text(settings), mode=0o600)
    write_atomic(service.file, unit(config, service, bin_folder), mode=0o644)
    _do("daemon-reload")
    _do("enable", service.name)
    return service


def start(service: Service) -> None:
    """Have systemd start it, or bring what runs to the code and settings of now. Returns when all
    is up; raises VelociraptorError with the end of its log."""
    _do("reload-or-restart" if service.is_active() else "start", service.name)


def stop(service: Service) -> None:
    """Have systemd stop it; returns when nothing runs. Raises VelociraptorError."""
    _do("stop", service.name)


def kept(env: Mapping[str, str]) -> dict[str, str]:
    """What of an environment the service gets: the settings that are given, and what builds
    see of it."""
    names = [name for row in TABLE.values() for name in row.variables]
    return for_builds(env) | {name: env[name] for name in names if env.get(name)}


def refuse_other_settings(service: Service, env: Mapping[str, str]) -> None:
    """Raise InvalidInput if `env` has settings that the service doesn't: it would not obey."""
    known = service.settings()
    problems = [
        f"{name}: is given here, but {service.name} has "
        + ("another value" if name in known else "none")
        for name, text in kept(env).items()
        if name.startswith("VR_") and known.get(name) != text
    ]
    if problems:
        raise InvalidInput(
            "environment",
            problems,
            hint=f"vr up --systemd takes these into {service.environment_file}.",
        )


def unit(config: Config, service: Service, bin_folder: Path) -> str:
    """The text of the unit."""
    # A unit's file expands `%` and `$`; paths of ours hold neither.
    return f"""\
# Written by `vr up --systemd`; changes are lost.
[Unit]
Description=Velociraptor in {config.home}
Wants=network-online.target
After=network-online.target local-fs.target time-sync.target
RequiresMountsFor={config.home} {config.root}

[Service]
Type=forking
PIDFile={config.supervisord_pid_file}
EnvironmentFile={service.environment_file}
ExecStart={bin_folder}/vr up --as-service
ExecReload={bin_folder}/vr up --as-service
ExecStop={bin_folder}/vr down --as-service
TimeoutStartSec={_START_SECONDS}
TimeoutStopSec={_STOP_SECONDS}
Restart=on-failure
RestartSec=5
# All procs are its processes. One that meets its limit is no reason to end the others.
TasksMax=infinity
LimitNOFILE=65536
OOMPolicy=continue
Delegate=yes

[Install]
WantedBy=multi-user.target
"""


def environment_text(env: Mapping[str, str]) -> str:
    """The text of an EnvironmentFile: every value in double quotes."""
    lines = [f'{name}="{re.sub(_SPECIAL, _ESCAPED, env[name])}"\n' for name in sorted(env)]
    path = "" if "PATH" in env else f'PATH="{SYSTEM_PATH}"\n'
    return "# Written by `vr up --systemd`. Changes hold from `vr up` on.\n" + path + "".join(lines)


def environment_of(text: str) -> dict[str, str]:
    """What `environment_text` was made of; of lines that people wrote, too."""
    found = {}
    for line in text.splitlines():
        name, sign, value = line.strip().partition("=")
        if not sign or name.startswith(("#", ";")):
            continue
        quoted = re.fullmatch(r'"(.*)"', value.strip())
        found[name.strip()] = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value.strip("' ")
    return found


_SPECIAL = r'(["\\$`])'
_ESCAPED = r"\\\1"


def _ask(*words: str) -> str:
    return _systemctl(*words).stdout.strip()


def _do(*words: str) -> None:
    done = _systemctl(*words)
    if done.returncode:
        name = words[-1]
        log = subprocess.run(
            ["journalctl", "--unit", name, "--lines", _LOG_LINES, "--no-pager", "--output", "cat"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        raise VelociraptorError(
            f"systemctl {' '.join(words)} failed: {done.stderr.strip()}",
            details=log.stdout if name.endswith(".service") else "",
            hint=f"See systemctl status {name} and journalctl -u {name}.",
        )


def _systemctl(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemctl", *words],
        env={**os.environ, "SYSTEMD_COLORS": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
