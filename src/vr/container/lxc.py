"""A container as LXC configuration: pure text from plain values (docs/reference/container.md).

What is left out on purpose: `lxc.environment`, whose values run as configuration when they hold a
newline, and reach root's hooks; and, unless asked for, `lxc.uts.name`, so that the host's own name,
which its hosts file resolves, stays.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from vr.container.host import HostFeatures
from vr.container.network import PrivateNetwork, lxc_lines
from vr.container.oom_count import oom_hook
from vr.container.spec import FIRST_PROVISION_ID, PROVISION_IDS, Container, Limits, Mount
from vr.errors import VelociraptorError

_DEVICES = ("1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:2", "136:*")
"""null, zero, full, random, urandom, tty, ptmx and the pts, all characters."""

_PROVISION_CAPABILITIES = (
    "chown dac_override fowner fsetid kill setgid setuid setfcap net_bind_service sys_chroot"
)
"""What dpkg, apt and maintainer scripts use."""

_SHM_SIZE = 64 << 20
_CPU_PERIOD = 100_000


def render(
    container: Container,
    *,
    seccomp: Path,
    features: HostFeatures,
    oom_report: Path | None = None,
    network_script: Path | None = None,
) -> str:
    """The configuration file's text.

    `oom_report` is the file to which kills for want of memory are to be counted (oom_count.py),
    `network_script` the one that a private network needs (network.py).

    Mount targets must exist in a layer (see mountpoints.py): LXC is never asked to create one,
    because it would follow an image's symbolic links out of the container to do so.
    Raises VelociraptorError for paths that LXC cannot express.
    """
    lines = [
        *_root(container),
        *_identity(container),
        *_network(container, network_script),
        _line("lxc.seccomp.profile", str(seccomp)),
        # LXC would refuse to start; nothing here depends on that profile.
        *([] if features.lsm_ready else [_line("lxc.apparmor.profile", "unconfined")]),
        *_devices(features),
        *_limits(container.limits, features),
        *_mounts(container),
        *_oom_report(container, features, oom_report),
    ]
    return "\n".join(lines) + "\n"


def unsupported_limits(limits: Limits, features: HostFeatures) -> list[str]:
    """Which of the limits asked for this host's kernel can't hold, one sentence each."""
    controllers = features.v1 | features.v2
    wanted = {"memory": limits.memory or limits.memsw, "cpu": limits.cpus, "pids": limits.pids}
    missing = [
        f"This host has no cgroup controller {name!r}; its limit is not enforced."
        for name, value in wanted.items()
        if value and name not in controllers
    ]
    if limits.memsw and "memory" in controllers and not features.swap_accounting:
        missing.append(
            "This host does not count swap (boot with swapaccount=1); memsw_limit is not enforced."
        )
    return missing


def _root(container: Container) -> Iterator[str]:
    for path in (*container.lowers, container.upper):
        if ":" in str(path) or "," in str(path):
            raise VelociraptorError(
                f"{path} can't be part of a container's root: the path holds ':' or ','.",
                hint="Use a VR_ROOT without these characters.",
            )
    if container.lowers:
        layers = ":".join(map(str, (*container.lowers, container.upper)))
        yield _line("lxc.rootfs.path", f"overlayfs:{layers}")
    else:
        yield _line("lxc.rootfs.path", f"dir:{container.upper}")
    options = [
        # What provisioning's root writes belongs to root on the disk, too.
        *(["nosuid", "nodev"] if container.role == "proc" else ["idmap=container"]),
        *(["ro"] if container.read_only else []),
    ]
    if options:
        yield _line("lxc.rootfs.options", ",".join(options))
    if mount := _upper_mount(container):
        # Mounted inside the container's own mount namespace: nothing to clean up on the host.
        yield _line("lxc.hook.version", "1")
        yield _line("lxc.hook.pre-mount", shlex.join(mount))


def _upper_mount(container: Container) -> list[str]:
    """The command that mounts what the upper lies on, if it is no plain folder."""
    target = str(container.upper.parent)
    if container.upper_size is not None:
        options = f"size={container.upper_size},mode=0755,nosuid,nodev"
        return ["mount", "-t", "tmpfs", "-o", options, "tmpfs", target]
    if container.upper_disk is not None:
        # The loop device goes with its last mount; discard gives room back to the host.
        options = "loop,discard,noatime,nosuid,nodev"
        return ["mount", "-t", "ext4", "-o", options, str(container.upper_disk), target]
    return []


def _identity(container: Container) -> Iterator[str]:
    if container.host_name:
        yield _line("lxc.uts.name", container.host_name)
    yield _line("lxc.console.path", "none")
    yield _line("lxc.pty.max", "64")
    yield _line("lxc.init.uid", str(container.uid))
    yield _line("lxc.init.gid", str(container.gid))
    yield _line("lxc.init.cwd", container.cwd)
    # Setting a uid silently disarms the default death signal; any other than KILL is armed again.
    yield _line("lxc.monitor.signal.pdeath", "SIGTERM")
    yield _line("lxc.prlimit.core", "0")
    if container.role == "proc":
        yield _line("lxc.cap.keep", "none")
        yield _line("lxc.no_new_privs", "1")
    else:
        yield _line("lxc.cap.keep", _PROVISION_CAPABILITIES)
        for kind in ("u", "g"):
            yield _line("lxc.idmap", f"{kind} 0 {FIRST_PROVISION_ID} {PROVISION_IDS}")


def _network(container: Container, script: Path | None) -> Iterator[str]:
    if isinstance(container.network, PrivateNetwork):
        for key, value in lxc_lines(container.network, shlex.quote(str(script))):
            yield _line(key, value)
    else:
        yield _line("lxc.net.0.type", "none" if container.network == "host" else "empty")


def _devices(features: HostFeatures) -> Iterator[str]:
    prefix = "lxc.cgroup2" if features.only_v2 else "lxc.cgroup"
    if features.only_v2 or "devices" in features.v1:
        yield _line(f"{prefix}.devices.deny", "a")
        for device in _DEVICES:
            yield _line(f"{prefix}.devices.allow", f"c {device} rwm")


def _limits(limits: Limits, features: HostFeatures) -> Iterator[str]:
    memory = limits.memory or limits.memsw
    swap = features.swap_accounting
    if limits.nofile is not None:
        yield _line("lxc.prlimit.nofile", str(limits.nofile))
    if "memory" in features.v1 and memory:
        yield _line("lxc.cgroup.memory.limit_in_bytes", str(memory))
        if limits.memsw and swap:
            yield _line("lxc.cgroup.memory.memsw.limit_in_bytes", str(limits.memsw))
    if "memory" in features.v2 and memory:
        yield _line("lxc.cgroup2.memory.max", str(memory))
        if limits.memsw and swap:
            yield _line("lxc.cgroup2.memory.swap.max", str(limits.memsw - memory))
    if limits.pids is not None:
        if "pids" in features.v1:
            yield _line("lxc.cgroup.pids.max", str(limits.pids))
        if "pids" in features.v2:
            yield _line("lxc.cgroup2.pids.max", str(limits.pids))
    if limits.cpus is not None:
        quota = max(1000, round(limits.cpus * _CPU_PERIOD))  # the kernel's least is 1 ms
        if "cpu" in features.v1:
            yield _line("lxc.cgroup.cpu.cfs_period_us", str(_CPU_PERIOD))
            yield _line("lxc.cgroup.cpu.cfs_quota_us", str(quota))
        if "cpu" in features.v2:
            yield _line("lxc.cgroup2.cpu.max", f"{quota} {_CPU_PERIOD}")


def _oom_report(container: Container, features: HostFeatures, report: Path | None) -> Iterator[str]:
    limited = container.limits.memory or container.limits.memsw
    if report and limited and features.memory_group:
        hook = oom_hook(container.name, features.memory_group, report)
        yield _line("lxc.hook.stop", hook)


def _mounts(container: Container) -> Iterator[str]:
    # The host's /sys belongs to the host's network, so no user namespace may mount it.
    own_sys = container.role == "proc"
    yield _line("lxc.mount.auto", "proc:mixed sys:ro" if own_sys else "proc:mixed")
    # The one target that LXC may create: /dev is its own tmpfs.
    options = f"rw,nosuid,nodev,noexec,size={_SHM_SIZE},mode=1777,create=dir"
    yield _line("lxc.mount.entry", f"tmpfs dev/shm tmpfs {options} 0 0")
    if container.limits.tmp_size is not None:
        options = f"rw,nosuid,nodev,size={container.limits.tmp_size},mode=1777"
        yield _line("lxc.mount.entry", f"tmpfs tmp tmpfs {options} 0 0")
    for mount in container.mounts:
        yield _line("lxc.mount.entry", _entry(mount))


def _entry(mount: Mount) -> str:
    # LXC drops nosuid and nodev on writable binds; there no_new_privs and the devices cgroup hold.
    options = "bind,ro,nosuid,nodev" if mount.read_only else "bind,rw"
    source, target = _field(str(mount.source)), _field(mount.target.lstrip("/"))
    return f"{source} {target} none {options} 0 0"


def _field(text: str) -> str:
    """A path as a field of a mount table."""
    for character in "\\ \t":
        text = text.replace(character, f"\\{ord(character):03o}")
    return text


def _line(key: str, value: str) -> str:
    # A newline would begin a new key, and keys can run programs as root.
    if value != value.strip() or any(character in value for character in "\n\r\0"):
        raise VelociraptorError(
            f"{value!r} can't be written as {key}: "
            "it holds a line break, or begins or ends with a blank."
        )
    return f"{key} = {value}"
