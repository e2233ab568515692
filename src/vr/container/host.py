"""What this host's kernel offers to containers: asked here, understood by pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_CGROUP_ROOT = Path("/sys/fs/cgroup")
_APPARMOR_SWITCH = Path("/sys/module/apparmor/parameters/enabled")
_APPARMOR_PROFILES = Path("/sys/kernel/security/apparmor/profiles")
_LXC_PROFILE = "lxc-container-default-cgns"


@dataclass(frozen=True)
class HostFeatures:
    """The cgroup controllers that can hold limits, by the version that owns them.

    A controller belongs to v1 or to v2, never to both: on a hybrid host v2 is mounted beside v1
    and holds none.
    """

    v1: frozenset[str]
    v2: frozenset[str]
    swap_accounting: bool
    """Whether RAM and swap together can be limited."""
    memory_group: Path | None = None
    """The folder in which LXC makes the groups that count memory."""
    lsm_ready: bool = True
    """False if AppArmor is on, but without the profile that LXC's containers get."""

    @property
    def only_v2(self) -> bool:
        return not self.v1


def host_features() -> HostFeatures:
    """Ask this host."""
    mounts = Path("/proc/mounts").read_text()
    groups = Path("/proc/1/cgroup").read_text()
    lsm_ready = not _reads(_APPARMOR_SWITCH, "Y") or _reads(_APPARMOR_PROFILES, _LXC_PROFILE)
    v1 = v1_controllers(mounts)
    if v1:
        return HostFeatures(
            v1=v1,
            v2=frozenset(),
            memory_group=group_folder(groups, "memory"),
            swap_accounting=(_CGROUP_ROOT / "memory/memory.memsw.limit_in_bytes").exists(),
            lsm_ready=lsm_ready,
        )
    controllers = frozenset((_CGROUP_ROOT / "cgroup.controllers").read_text().split())
    return HostFeatures(
        v1=v1,
        v2=controllers,
        memory_group=group_folder(groups, ""),
        swap_accounting=Path("/proc/swaps").exists(),
        lsm_ready=lsm_ready,
    )


def _reads(file: Path, word: str) -> bool:
    """Whether the file holds the word; no if it can't be read."""
    try:
        return word in file.read_text().split()
    except OSError:
        return False


def memory_limit(folder: Path) -> int | None:
    """How many bytes a memory group may use; None without a limit, or without that group."""
    for file in ("memory.limit_in_bytes", "memory.max"):
        try:
            text = (folder / file).read_text().strip()
        except OSError:
            continue
        # v1 writes the largest number of pages there is.
        return int(text) if text.isdigit() and int(text) < 1 << 62 else None
    return None


def group_folder(pid1_cgroup: str, controller: str) -> Path | None:
    """Where LXC makes its groups of a v1 controller, or of v2 if it is "".

    From the text of /proc/1/cgroup; None if the kernel lacks the controller.
    """
    for line in pid1_cgroup.splitlines():
        _number, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            inner = path.removesuffix("/init.scope").strip("/")
            return _CGROUP_ROOT / controllers / inner
    return None


def v1_controllers(mounts: str) -> frozenset[str]:
    """The v1 controllers that /proc/mounts shows below /sys/fs/cgroup."""
    known = {"memory", "pids", "cpu", "devices", "cpuset", "blkio", "freezer", "cpuacct"}
    found: set[str] = set()
    for line in mounts.splitlines():
        _device, _target, kind, options = line.split()[:4]
        if kind == "cgroup":
            found |= known & set(options.split(","))
    return frozenset(found)
