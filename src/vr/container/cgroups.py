"""The processes of a container, found by cgroup: whatever else died, the kernel still knows them.

LXC names its groups `lxc.payload.NAME` and `lxc.monitor.NAME`; when left-overs of a killed monitor
are there, it adds `-1`, `-2` and so on.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from vr.errors import VelociraptorError
from vr.machine.processes import parent_of, send_signal

_ROOT = Path("/sys/fs/cgroup")
_DEADLINE_SECONDS = 10.0


def bases(pid1_cgroup: str, *, unified_beside_v1: bool) -> list[Path]:
    """The folders in which LXC makes its groups, from the text of /proc/1/cgroup.

    LXC starts from the groups of PID 1, as the caller's pid namespace sees it, and leaves
    systemd's init.scope. The v2 hierarchy, if any, comes first: it alone can kill a whole group.
    """
    found: list[Path] = []
    for line in pid1_cgroup.splitlines():
        number, controllers, path = line.split(":", 2)
        inner = path.removesuffix("/init.scope").strip("/")
        if number == "0":
            found.insert(0, (_ROOT / "unified" if unified_beside_v1 else _ROOT) / inner)
        else:
            found.append(_ROOT / controllers.removeprefix("name=") / inner)
    return found


def host_bases() -> list[Path]:
    """`bases` of this host."""
    return bases(Path("/proc/1/cgroup").read_text(), unified_beside_v1=(_ROOT / "unified").is_dir())


def processes(name: str, where: Sequence[Path] | None = None) -> set[int]:
    """The pids, on the host, of all processes inside the container, its init included."""
    found: set[int] = set()
    for group in _groups(name, ("payload",), where):
        found |= _pids(group)
    return found


def refused_processes(name: str, where: Sequence[Path] | None = None) -> int:
    """How often the running container was refused a process or thread, for its limit of them."""
    return sum(_refusals(group) for group in _groups(name, ("payload",), where))


def _refusals(group: Path) -> int:
    try:
        words = (group / "pids.events").read_text().split()
    except OSError:
        return 0  # no group that counts processes, or it went away
    return sum(
        int(number) for key, number in zip(words[::2], words[1::2], strict=True) if key == "max"
    )


def monitor_of(group: str, where: Sequence[Path] | None = None) -> int | None:
    """The pid of the LXC monitor whose container's group is called `group`; None if it has ended.

    Found as the parent of the container's init, which names alone would not tell for sure.
    """
    for base in host_bases() if where is None else where:
        inside = _pids(base / group)
        for pid in inside:
            parent = parent_of(pid)
            if parent and parent not in inside:
                return parent
    return None


def kill(name: str, where: Sequence[Path] | None = None) -> None:
    """SIGKILL for every process inside the container; returns when none is left.

    Raises VelociraptorError if one resists for 10 s (the kernel waits for a disk or a network).
    """
    _kill_all(name, "payload", host_bases() if where is None else where)


def _kill_all(name: str, kind: str, where: Sequence[Path]) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while alive := _kill_once(name, kind, where):
        if time.monotonic() > deadline:
            raise VelociraptorError(
                f"The processes {sorted(alive)} of the container {name} can't be killed.",
                hint="They wait inside the kernel; see their state D in ps.",
            )
        time.sleep(0.005)


def sweep(name: str) -> None:
    """Remove what an earlier container of this name left: its processes and its empty groups.

    Whoever calls holds the lock of that container, so a living one is an orphan.
    """
    where = host_bases()
    _kill_all(name, "payload", where)
    # A monitor ends with its container, but waits for ever for one that was killed in its start.
    _kill_all(name, "monitor", where)
    for group in list(_groups(name, ("payload", "monitor"), where)):
        _remove(group)


def _kill_once(name: str, kind: str, where: Sequence[Path]) -> set[int]:
    alive: set[int] = set()
    for group in _groups(name, (kind,), where):
        found = _pids(group)
        alive |= found
        switch = group / "cgroup.kill"
        if found and switch.exists():
            with suppress(OSError):  # the group went away at this moment
                switch.write_text("1")
            continue
        for pid in found:
            send_signal(pid, signal.SIGKILL)
    return alive


def _groups(name: str, kinds: Sequence[str], where: Sequence[Path] | None) -> Iterator[Path]:
    names = [f"lxc.{kind}.{name}" for kind in kinds]

    # Asked often in a container's short life, among all others' groups: a pattern is too slow.
    def is_ours(group: str) -> bool:
        before, _dash, number = group.rpartition("-")
        return group in names or (before in names and number.isdigit())

    for base in host_bases() if where is None else where:
        if base.is_dir():
            yield from (base / group for group in os.listdir(base) if is_ours(group))  # noqa: PTH208


def _pids(group: Path) -> set[int]:
    # Apps can't make groups below theirs, but LXC may (its own `ns`), so look at all of them.
    found: set[int] = set()
    for folder, _folders, _files in os.walk(group):
        try:
            found |= {int(line) for line in (Path(folder) / "cgroup.procs").read_text().split()}
        except OSError:
            continue  # it went away
    return found


def _remove(group: Path) -> None:
    for folder, _folders, _files in os.walk(group, topdown=False):
        try:
            Path(folder).rmdir()
        except OSError:
            continue  # a monitor that is just ending; the next sweep gets it
