"""Runtimes: what a droplet's `%VCAP_LOCAL_RUNTIME%` becomes (docs/reference/dea.md)."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr.errors import VelociraptorError
from vr.machine.path import SYSTEM_PATH

TOKEN = "%VCAP_LOCAL_RUNTIME%"

_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True)
class Chosen:
    """The executable for an instance, and a remark for the log, if there is one to make."""

    executable: str
    remark: str = ""


def choose(
    runtimes: Mapping[str, str],
    versions: Mapping[str, str],
    name: str,
    wanted: Mapping[str, Any],
) -> Chosen:
    """The executable of the runtime `name`; `versions` are those found on this host, by name.

    The executable of the message is used only if it is one of ours. A newer version than wanted
    will do; an older one raises VelociraptorError, as an unknown runtime does. No name at all
    means that the droplet needs none.
    """
    if not name:
        return Chosen("")
    if name not in runtimes:
        raise VelociraptorError(
            f"The runtime {name!r} is not offered here; there are: "
            f"{', '.join(sorted(runtimes)) or 'none'}."
        )
    executable = runtimes[name]
    asked = wanted.get("executable")
    if isinstance(asked, str) and asked in {*runtimes, *runtimes.values()}:
        executable = runtimes.get(asked, asked)
    version, here = str(wanted.get("version") or ""), versions.get(name, "")
    if version and here and version != here:
        if _numbers(here) < _numbers(version):
            raise VelociraptorError(f"The runtime {name} is {here} here, older than {version}.")
        return Chosen(executable, f"{name} is {here} here, {version} was wished for")
    return Chosen(executable)


def with_runtime(script: str, executable: str) -> str:
    """The startup script with the token replaced; raises VelociraptorError if nothing is there."""
    if TOKEN in script and not executable:
        raise VelociraptorError("The droplet needs a runtime, but the start message names none.")
    return script.replace(TOKEN, shlex.quote(executable))


def version_in(output: str) -> str:
    """The first version number that a program prints; empty if there is none."""
    match = _VERSION.search(output)
    return match.group() if match else ""


def problem(executable: str, seen: Iterable[str]) -> str:
    """Why apps can't be run with the executable on this machine; empty if they can be.

    `seen` are the folders of the machine that their containers see.
    """
    found = shutil.which(executable, path=SYSTEM_PATH)
    if not found:
        return f"there is no executable {executable} here"
    real = Path(found).resolve()
    if not any(real.is_relative_to(folder) for folder in seen):
        where = found if str(real) == found else f"{found}, which is {real},"
        return f"{where} is in no folder that apps see: {', '.join(seen)}"
    return ""


def installed_version(executable: str) -> str:
    """Ask the executable for its version; empty if it does not say."""
    for flag in ("--version", "-v"):
        try:
            done = subprocess.run(
                [executable, flag],
                env={"PATH": SYSTEM_PATH},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        if version := version_in(done.stdout + done.stderr):
            return version
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
