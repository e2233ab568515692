"""A real sshd on a private port, with keys of its own, that lets in one key as root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_port
from support.servers import serving
from vr.machine.ports import answers

SSHD = "/usr/sbin/sshd"
_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/client_key.pub
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
PidFile none
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class Sshd:
    """Where it listens, the line of its own key, and the private key that it lets in."""

    port: int
    host_key: str
    private_key: str
    process: subprocess.Popen[bytes]

    def sessions(self) -> list[int]:
        """The processes that serve connections."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]


@contextmanager
def sshd(folder: Path) -> Iterator[Sshd]:
    """sshd with its files in `folder`; it is ended with all connections."""
    folder.mkdir(parents=True, exist_ok=True)
    # Its privilege separation wants this folder, as systemd makes it.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name in ("host_key", "client_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / name],
            check=True,
        )
    port = free_port()
    (folder / "sshd_config").write_text(_CONFIG.format(port=port, folder=folder))
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", folder / "sshd_config"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = Sshd(
        port,
        (folder / "host_key.pub").read_text().strip(),
        (folder / "client_key").read_text(),
        process,
    )
    try:
        with serving(process, lambda: answers(port), "sshd"):
            yield server
    finally:
        for pid in server.sessions():
            subprocess.run(["kill", str(pid)], check=False)
