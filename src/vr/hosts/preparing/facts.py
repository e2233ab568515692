"""What a machine is and has: asked in one command, told as lines of `key=value`, judged here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vr.errors import VelociraptorError
from vr.hosts.preparing import layout

PACKAGES = (
    "lxc",
    "iproute2",
    "iptables",
    "util-linux",
    "procps",
    "zstd",
    "e2fsprogs",
    "ca-certificates",
)
"""What procs need of the system, by Debian's names."""

OLDEST_PYTHON = (3, 11)
_MACHINES = ("x86_64", "aarch64")

LOOK = f"""\
. /etc/os-release 2>/dev/null
echo "system=$ID $VERSION_ID"
echo "uid=$(id -u)"
echo "machine=$(uname -m)"
echo "python=$(python3 -c 'import sys; print(*sys.version_info[:3])' 2>/dev/null)"
echo "venv=$(python3 -c 'import venv' 2>/dev/null && echo yes)"
echo "apt=$(command -v apt-get)"
echo "systemd=$([ -d /run/systemd/system ] && echo yes)"
echo "release=$(readlink {layout.CURRENT} 2>/dev/null)"
for package in {" ".join(PACKAGES)}; do
    dpkg-query -W -f '${{db:Status-Status}}' "$package" 2>/dev/null | grep -qx installed ||
        echo "missing=$package"
done
"""


@dataclass(frozen=True)
class Facts:
    """A machine, as it told us. `python` is () where there is none."""

    system: str
    uid: int
    machine: str
    python: tuple[int, ...]
    has_venv: bool
    has_apt: bool
    has_systemd: bool
    release: str
    missing: tuple[str, ...]

    @property
    def minor(self) -> str:
        """`3.11`."""
        return ".".join(map(str, self.python[:2]))


def parse(output: str) -> Facts:
    """The facts in the output of LOOK."""
    found: dict[str, str] = {}
    missing = []
    for line in output.splitlines():
        key, _, value = line.partition("=")
        if key == "missing":
            missing.append(value.strip())
        else:
            found[key] = value.strip()
    return Facts(
        system=found.get("system", "").strip() or "an unknown system",
        uid=int(found.get("uid") or -1),
        machine=found.get("machine", ""),
        python=tuple(int(part) for part in re.findall(r"\d+", found.get("python", ""))),
        has_venv=found.get("venv") == "yes",
        has_apt=bool(found.get("apt")),
        has_systemd=found.get("systemd") == "yes",
        release=found.get("release", "").rpartition("/")[2],
        missing=tuple(missing),
    )


def check(name: str, facts: Facts) -> None:
    """Raises VelociraptorError, naming all that keeps the machine from being a host."""
    problems = []
    if not facts.python:
        problems.append("it has no python3: install it (apt-get install python3)")
    elif facts.python[:2] < OLDEST_PYTHON:
        problems.append(
            f"its python3 is {facts.minor}, and 3.11 is the oldest that works: take Debian 12 or "
            "13, or Ubuntu 24.04"
        )
    elif not facts.has_venv:
        problems.append("its python3 lacks the module venv: install libpython3-stdlib")
    if facts.machine not in _MACHINES:
        problems.append(
            f"it is a {facts.machine or 'machine of unknown kind'}, expected "
            f"{' or '.join(_MACHINES)}"
        )
    if facts.missing and not facts.has_apt:
        problems.append(
            f"it has no apt-get, so these can't be installed: {', '.join(facts.missing)}"
        )
    if problems:
        raise VelociraptorError(
            f"{name} ({facts.system}) can't be a host: {'; '.join(problems)}.",
            hint="Nothing was changed there.",
        )
