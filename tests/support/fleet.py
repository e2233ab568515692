"""Several real hosts on this machine: network namespaces with an sshd, a root and containers each.

A bridge connects them in the namespace of the controller, where the server's side runs. No
traffic leaves these namespaces, and the machine's own network has no leg in them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.big_folders import big_folder
from support.waiting import until

_SCRIPT = Path(__file__).with_name("fleet_host.sh")
_CLONE_NEWNET = 0x40000000
_NETWORK = "10.77.0"
CONTROLLER = f"{_NETWORK}.1"
_SSHD = """\
HostKey /run/sshd/ssh_host_key
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PidFile none
Subsystem sftp internal-sftp
"""


@contextlib.contextmanager
def fleet_of(size: int) -> Iterator[Fleet]:
    """So many hosts that are up; nothing of them is left afterwards."""
    folder = big_folder("vr-fleet-")
    fleet = Fleet(folder, size)
    try:
        fleet.up()
        yield fleet
    finally:
        fleet.down()
        shutil.rmtree(folder)


class Fleet:
    """Hosts `h1`, `h2` …; `folder` must lie on a disk or tmpfs, not on an overlay."""

    def __init__(self, folder: Path, size: int = 4, tag: str = "") -> None:
        self.folder = folder
        self.names = tuple(f"h{number}" for number in range(1, size + 1))
        self._tag = tag or f"vrf{os.getpid()}"
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    # What there is

    def address(self, name: str) -> str:
        """The address of a host, as all others and the controller see it."""
        return f"{_NETWORK}.{10 + self.names.index(name) + 1}"

    def host_key(self, name: str) -> str:
        """The line that pins the host's SSH key."""
        return (self.folder / name / "ssh_host_key.pub").read_text().strip()

    @property
    def private_key(self) -> str:
        """What signs in as root on all hosts."""
        return (self.folder / "client_key").read_text()

    def apps(self, name: str) -> Path:
        """The host's /apps, as this machine sees it."""
        return self.folder / name / "apps"

    # Up and down

    def up(self) -> None:
        """Make the network and start all hosts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _make_key(self.folder / "client_key")
        _ip("netns", "add", self._space())
        self._controller("link", "set", "lo", "up")
        self._controller("link", "add", "br0", "type", "bridge")
        self._controller("addr", "add", f"{CONTROLLER}/24", "dev", "br0")
        self._controller("link", "set", "br0", "up")
        lines = [
            f"{CONTROLLER} controller",
            *(f"{self.address(name)} {name}" for name in self.names),
        ]
        hosts = "127.0.0.1 localhost\n" + "\n".join(lines) + "\n"
        (self.folder / "hosts").write_text(hosts)
        for name in self.names:
            self._make(name)
            self.start(name)

    def start(self, name: str) -> None:
        """Boot a host that doesn't run."""
        folder = self.folder / name
        with (folder / "log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [
                    *("nsenter", f"--net=/run/netns/{self._space(name)}"),
                    *("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"),
                    *("--propagation", "private", "--mount-proc"),
                    *(_SCRIPT, name, folder, self._tag, self.folder / "hosts"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: self._accepts(name, 22), f"{name} lets in by SSH")

    def kill(self, name: str) -> None:
        """End a host with all that runs on it, at once, as a failure of power would."""
        process = self._running.pop(name)
        process.kill()
        process.wait(20)

    def down(self) -> None:
        """End all hosts, and leave nothing of the network and the cgroups."""
        for name in list(self._running):
            self.kill(name)
        for space in (*map(self._space, self.names), self._space()):
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)
        until(self._have_groups_gone, "the hosts' cgroups are removed")

    # Cables

    def cut(self, name: str) -> None:
        """Pull a host's cable at the switch."""
        self._controller("link", "set", f"port-{name}", "down")

    def mend(self, name: str) -> None:
        """Put the cable back."""
        self._controller("link", "set", f"port-{name}", "up")

    # Inside

    def run(self, name: str, argv: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a command on a host, not by SSH; fails for a status other than 0."""
        first = subprocess.run(
            ["pgrep", "-P", str(self._running[name].pid)],
            capture_output=True,
            text=True,
            check=True,
        )
        enter = ["nsenter", "-t", first.stdout.split()[0], "-n", "-m", "-u", "-i", "-p", "--"]
        return subprocess.run([*enter, *argv], capture_output=True, text=True, check=True)

    @property
    def enter(self) -> tuple[str, ...]:
        """What to put before a command that is to run in the controller's network."""
        return ("nsenter", f"--net=/run/netns/{self._space()}")

    @contextlib.contextmanager
    def controller(self) -> Iterator[None]:
        """Let this thread, and those that it starts, use the controller's network."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            with Path(f"/run/netns/{self._space()}").open() as space:
                _set_network(space.fileno())
            try:
                yield
            finally:
                _set_network(before)
        finally:
            os.close(before)

    def _space(self, name: str = "ctl") -> str:
        return f"{self._tag}-{name}"

    def _controller(self, *arguments: str) -> None:
        _ip("-n", self._space(), *arguments)

    def _make(self, name: str) -> None:
        folder, space = self.folder / name, self._space(name)
        for part in ("root", "apps", "opt"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        _make_key(folder / "ssh_host_key")
        (folder / "sshd_config").write_text(_SSHD)
        shutil.copy(self.folder / "client_key.pub", folder / "authorized_keys")
        _ip("netns", "add", space)
        _ip("-n", space, "link", "set", "lo", "up")
        _ip(
            *("link", "add", f"port-{name}", "netns", self._space()),
            *("type", "veth", "peer", "name", "eth0", "netns", space),
        )
        self._controller("link", "set", f"port-{name}", "master", "br0", "up")
        _ip("-n", space, "addr", "add", f"{self.address(name)}/24", "dev", "eth0")
        _ip("-n", space, "link", "set", "eth0", "up")

    def _accepts(self, name: str, port: int) -> bool:
        address = f"/dev/tcp/{self.address(name)}/{port}"
        probe = ["timeout", "1", "bash", "-c", f"exec 3<>{address}"]
        return subprocess.run([*self.enter, *probe], capture_output=True).returncode == 0

    def _have_groups_gone(self) -> bool:
        left = [Path(folder) for folder in _folders_of_group(self._tag)]
        for folder in sorted(left, key=lambda path: len(path.parts), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        return not any(folder.exists() for folder in left)


def _folders_of_group(tag: str) -> list[str]:
    found = []
    for top in Path("/sys/fs/cgroup").glob(f"*/{tag}"):
        found += [folder for folder, _, _ in os.walk(top)]
    return found


def _make_key(path: Path) -> None:
    if not path.exists():
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], check=True
        )


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _set_network(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
