"""vrun doctor's look at this host: facts gathered here, judged in diagnosis.py."""

from __future__ import annotations

import grp
import os
import platform
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vr.container.cgroups import host_bases
from vr.container.host import host_features
from vr.container.launch import PIPE, STDOUT, start
from vr.container.lxc_messages import lxc_complaint
from vr.container.spec import Container
from vr.errors import VelociraptorError
from vr.machine.path import SYSTEM_PATH
from vr.paths import Root
from vr.runner import diagnosis
from vr.runner.diagnosis import Finding, Verdict, judge
from vr.runner.host_folders import host_skeleton, host_system_mounts

_PROGRAMS = (
    *("lxc-execute", "setpriv", "flock", "bash"),
    *("mkfs.ext4", "zstd", "ip", "iptables-restore"),
)
_LISTEN = "0A"
_NOBODY = 65534
_PATIENCE = 20


def examine(root: Root) -> list[Finding]:
    """Everything about this host that matters to procs; the last finding is a real container."""
    is_root = os.geteuid() == 0
    findings = [
        judge("root", is_root, "yes" if is_root else "no", "Run it as root, as vrun needs to be."),
        *_kernel(),
        *_tools(),
        *_storage(root),
        *_ports(root),
        diagnosis.users({e.pw_name for e in pwd.getpwall()}, {e.gr_name for e in grp.getgrall()}),
    ]
    if any(finding.verdict is Verdict.PROBLEM for finding in findings):
        return [*findings, Finding("container", Verdict.WARNING, "not tried, see above")]
    return [*findings, _try_container(root)]


def _kernel() -> Iterator[Finding]:
    yield diagnosis.kernel(platform.release())
    yield diagnosis.overlayfs(Path("/proc/filesystems").read_text())
    yield diagnosis.seccomp(_read("/proc/sys/kernel/seccomp/actions_avail"))
    yield diagnosis.namespaces({path.name for path in Path("/proc/self/ns").iterdir()})
    yield diagnosis.image_making(platform.release(), _read("/proc/sys/user/max_user_namespaces"))
    try:
        features = host_features()
    except OSError:
        remedy = "Mount cgroup v2 at /sys/fs/cgroup."
        yield Finding("cgroups", Verdict.PROBLEM, "not mounted", remedy)
        return
    can_kill = (host_bases()[0] / "cgroup.procs").exists() and not features.only_v2
    yield from diagnosis.cgroups(features, can_kill=can_kill)


def _tools() -> Iterator[Finding]:
    installed = {name for name in _PROGRAMS if shutil.which(name, path=SYSTEM_PATH)}
    version = _output(["lxc-execute", "--version"]) if "lxc-execute" in installed else None
    yield diagnosis.lxc(version)
    resets = _output(["setpriv", "--reset-env", "true"]) is not None
    yield from diagnosis.programs(installed, setpriv_resets_env=resets)


def _storage(root: Root) -> Iterator[Finding]:
    there = root.path.absolute()
    while not there.exists():
        there = there.parent
    kind, options = _file_system(there)
    yield diagnosis.root_folder(str(root.path), kind, options)
    status = os.statvfs(there)
    inodes = status.f_favail if status.f_files else None
    yield diagnosis.disk(status.f_bavail * status.f_frsize, inodes)


def _file_system(path: Path) -> tuple[str | None, set[str]]:
    """Type and options of the mount that `path` is on."""
    said = _output(["findmnt", "-n", "-o", "FSTYPE,OPTIONS", "-T", str(path)])
    kind, _, options = (said or "").partition(" ")
    return kind or None, set(options.strip().split(","))


def _ports(root: Root) -> Iterator[Finding]:
    low, high = (Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()).split()
    reserved = _read("/proc/sys/net/ipv4/ip_local_reserved_ports") or ""
    names = [path.name for path in root.procs.iterdir()] if root.procs.is_dir() else []
    own = {int(name.rpartition("-")[2]) for name in names if name.rpartition("-")[2].isdigit()}
    taken = {port for port in _listening() if port in diagnosis.PORTS} - own
    yield from diagnosis.ports((int(low), int(high)), reserved, taken)


def _listening() -> set[int]:
    found = set()
    for table in ("tcp", "tcp6"):
        for line in (_read(f"/proc/net/{table}") or "").splitlines()[1:]:
            _number, local, _remote, state = line.split()[:4]
            if state == _LISTEN:
                found.add(int(local.rpartition(":")[2], 16))
    return found


def _try_container(root: Root) -> Finding:
    """Start the smallest container there is: the host's own system, one command, nobody."""
    root.path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=root.path) as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        container = Container(
            name=f"vr-doctor-x{os.getpid()}",
            lowers=(host_skeleton(root),),
            upper=folder / "upper",
            uid=_NOBODY,
            gid=_NOBODY,
            mounts=host_system_mounts(),
        )
        try:
            argv = ["/bin/sh", "-c", "echo alive"]
            with start(
                container, folder, argv, env={"PATH": SYSTEM_PATH}, stdout=PIPE, stderr=STDOUT
            ) as running:
                code = running.wait(_PATIENCE)
                assert running.stdout
                said = running.stdout.read().decode(errors="replace").strip()
        except VelociraptorError as error:
            said, code = f"{error.message} {error.details}".strip(), 1
        complaint = lxc_complaint(folder)
    fine = code == 0 and said == "alive"
    found = "starts and ends" if fine else f"fails: {said} {complaint}".strip()
    return judge("container", fine, found, "See LXC's message; the kernel's are in dmesg.")


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text()
    except OSError:
        return None


def _output(argv: list[str]) -> str | None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
