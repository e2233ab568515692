"""What a host needs to run procs: judged from plain facts, without looking at any host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from vr.container.host import HostFeatures

PORTS = range(5000, 6000)
"""Which ports the server gives to procs."""

_LEAST_KERNEL = (4, 18)
_IDMAPPED_KERNEL = (5, 12)
_LEAST_LXC = (4, 0)
_LEAST_FREE = 2 << 30
_PROGRAMS = {
    "lxc-execute": "lxc",
    "setpriv": "util-linux",
    "flock": "util-linux",
    "bash": "bash",
}
_USEFUL = {
    "mkfs.ext4": ("e2fsprogs", "needed for disk_limit"),
    "zstd": ("zstd", "needed for .zst builds and images"),
    "ip": ("iproute2", "needed for network: private"),
    "iptables-restore": ("iptables", "needed for network: private"),
}


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """Procs run, but something is not as it should be."""
    PROBLEM = "problem"
    """Procs can't run, or not safely."""


@dataclass(frozen=True)
class Finding:
    subject: str
    verdict: Verdict
    found: str
    remedy: str = ""


def judge(subject: str, fine: bool, found: str, remedy: str, *, grave: bool = True) -> Finding:
    if fine:
        return Finding(subject, Verdict.OK, found)
    return Finding(subject, Verdict.PROBLEM if grave else Verdict.WARNING, found, remedy)


def kernel(release: str) -> Finding:
    """From uname's release, such as `6.1.0-18-amd64`."""
    fine = _version(release) >= _LEAST_KERNEL
    return judge("kernel", fine, release, "Linux 4.18 or later is needed.")


def overlayfs(filesystems: str) -> Finding:
    """From the text of /proc/filesystems."""
    fine = "overlay" in filesystems.split()
    found = "available" if fine else "missing"
    return judge("overlayfs", fine, found, "Load it: modprobe overlay, and add it to /etc/modules.")


def seccomp(actions: str | None) -> Finding:
    """From the text of /proc/sys/kernel/seccomp/actions_avail; None without that file."""
    fine = actions is not None and "errno" in actions.split()
    found = "available" if fine else "missing"
    return judge("seccomp", fine, found, "Use a kernel with CONFIG_SECCOMP_FILTER.")


def namespaces(names: set[str]) -> Finding:
    """From the names in /proc/self/ns."""
    missing = sorted({"mnt", "pid", "ipc", "uts", "net", "cgroup"} - names)
    found = f"missing: {', '.join(missing)}" if missing else "all there"
    return judge("namespaces", not missing, found, "Use a kernel that has them.")


def image_making(release: str, most_user_namespaces: str | None) -> Finding:
    """What vimage needs beyond procs' needs, to make its scripts' root an ordinary user.

    From uname's release and the text of /proc/sys/user/max_user_namespaces; None without that.
    """
    problems = []
    if _version(release) < _IDMAPPED_KERNEL:
        problems.append("Linux 5.12 or later is needed, for mounts with other owners")
    if most_user_namespaces is None:
        problems.append("a kernel with CONFIG_USER_NS is needed")
    elif int(most_user_namespaces) == 0:
        problems.append("sysctl user.max_user_namespaces=15000 is needed")
    found = "impossible here; procs run all the same" if problems else "possible"
    return judge("vimage", not problems, found, f"{'; '.join(problems)}.", grave=False)


def cgroups(features: HostFeatures, *, can_kill: bool) -> list[Finding]:
    """The layout, and whether each limit of proc.yaml holds."""
    layout = "v2" if features.only_v2 else "v1" + (" and v2 (hybrid)" if can_kill else "")
    findings = [Finding("cgroups", Verdict.OK, layout)]
    found = features.v1 | features.v2
    limits = {"memory": "mem_limit", "pids": "pids_limit", "cpu": "cpu_limit"}
    for controller, limit in limits.items():
        fine = controller in found
        remedy = (
            f"{limit} is not enforced. Enable the controller: on v2 in cgroup.subtree_control of "
            "the root, on v1 without cgroup_disable= in the kernel's command line."
        )
        said = "available" if fine else "missing"
        findings.append(judge(f"cgroup {controller}", fine, said, remedy, grave=False))
    said = "as it should be" if features.lsm_ready else "on, but without LXC's profile"
    remedy = "Containers run all the same. apt install apparmor; systemctl restart apparmor."
    findings.append(judge("AppArmor", features.lsm_ready, said, remedy, grave=False))
    fine = features.only_v2 or "devices" in features.v1
    said = "limited" if fine else "not limited"
    findings.append(judge("devices", fine, said, "Mount the v1 controller devices, or use v2."))
    said = "available" if features.swap_accounting else "missing"
    remedy = "memsw_limit is not enforced. Boot with swapaccount=1."
    findings.append(judge("swap accounting", features.swap_accounting, said, remedy, grave=False))
    return findings


def lxc(version: str | None) -> Finding:
    """From what `lxc-execute --version` prints; None if it is not installed."""
    fine = version is not None and _version(version) >= _LEAST_LXC
    return judge("LXC", fine, version or "missing", "Install LXC 4 or later: apt install lxc.")


def programs(installed: set[str], *, setpriv_resets_env: bool) -> list[Finding]:
    """From the names of the programs found on root's PATH."""
    findings = []
    missing = sorted(_PROGRAMS.keys() - installed)
    packages = " ".join(sorted({_PROGRAMS[name] for name in missing}))
    said = f"missing: {', '.join(missing)}" if missing else "all there"
    findings.append(judge("programs", not missing, said, f"Install {packages}."))
    for name, (package, purpose) in _USEFUL.items():
        said = "installed" if name in installed else f"missing; {purpose}"
        remedy = f"Install {package}."
        findings.append(judge(name, name in installed, said, remedy, grave=False))
    said = "can reset the environment" if setpriv_resets_env else "has no --reset-env"
    remedy = "Install a newer util-linux; Debian 11's 2.36 will do."
    findings.append(judge("setpriv", setpriv_resets_env, said, remedy))
    return findings


def root_folder(path: str, filesystem: str | None, options: set[str]) -> Finding:
    """VR_ROOT: its path, and the type and options of the file system that it is on."""
    problems = []
    if any(character in path for character in ":,"):
        problems.append("its path holds ':' or ',', which can't be part of a container's root")
    if filesystem == "overlay":
        problems.append("it is on an overlay, which can't hold the writable layer of another")
    if filesystem and filesystem.startswith(("nfs", "cifs", "fuse")):
        problems.append(f"it is on {filesystem}, where overlays don't work")
    problems += [f"it is mounted {option}" for option in ("noexec", "ro") if option in options]
    found = f"{path}: {'; '.join(problems)}" if problems else f"{path} on {filesystem}"
    remedy = "Put VR_ROOT on a plain local file system, such as ext4 or xfs."
    return judge("VR_ROOT", not problems, found, remedy)


def disk(free: int, free_inodes: int | None) -> Finding:
    """From the free bytes, and inodes if the file system counts them, where VR_ROOT lies."""
    fine = free >= _LEAST_FREE and (free_inodes is None or free_inodes >= 100_000)
    inodes = "" if free_inodes is None else f" and {free_inodes} inodes"
    found = f"{free / 1e9:.1f} GB{inodes} free"
    return judge("disk", fine, found, "Make room: vrun gc removes what no proc uses.", grave=False)


def ports(local_range: tuple[int, int], reserved: str, listening: set[int]) -> list[Finding]:
    """`local_range` and `reserved` as the kernel has them for outgoing connections.

    `listening` are the TCP ports in PORTS that programs other than procs listen on.
    """
    low, high = local_range
    overlap = low <= PORTS[-1] and high >= PORTS[0] and f"{PORTS[0]}-{PORTS[-1]}" not in reserved
    said = f"outgoing connections use {low} to {high}"
    remedy = f"Set net.ipv4.ip_local_reserved_ports={PORTS[0]}-{PORTS[-1]} with sysctl."
    taken = ", ".join(map(str, sorted(listening)))
    return [
        judge("port range", not overlap, said, remedy, grave=False),
        judge(
            "ports",
            not listening,
            f"taken by programs that are no procs: {taken}" if taken else "free for procs",
            f"Let them use others than {PORTS[0]} to {PORTS[-1]}.",
            grave=False,
        ),
    ]


def users(names: set[str], groups: set[str]) -> Finding:
    """The account that procs run as unless proc.yaml names another."""
    missing = [
        *(["user nobody"] if "nobody" not in names else []),
        *(["group nogroup"] if "nogroup" not in groups else []),
    ]
    found = f"missing: {', '.join(missing)}" if missing else "nobody and nogroup are there"
    remedy = "groupadd --system nogroup; useradd --system --gid nogroup nobody"
    return judge("users", not missing, found, remedy, grave=False)


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)
