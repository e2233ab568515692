"""What it takes to reach a host by SSH and to find our service there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

APPS = "/apps"
TOOLS = "/opt/velociraptor/current/bin"
SUPERVISOR = "unix:///opt/velociraptor/run/supervisor.sock"


@dataclass(frozen=True)
class SshAddress:
    """A host: what the server calls it, and how SSH gets there.

    `host_key` is the one line that pins its key (`ssh-ed25519 AAAA…`); "" trusts nobody.
    `private_key` is the server's, in OpenSSH's format. `port` 0 leaves it to `config`, the files
    in the format of ~/.ssh/config that may say ports, users and jump hosts. `environment` is for
    the host's commands; everybody there can read it.
    """

    name: str
    address: str
    host_key: str
    private_key: str = field(repr=False)
    user: str = "root"
    port: int = 0
    root: str = APPS
    supervisor: str = SUPERVISOR
    tools: str = TOOLS
    config: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def service(self) -> str:
        """The command that runs our service there, as root."""
        argv = [
            *(() if self.user == "root" else ("sudo", "-n", "--")),
            *("env", *(f"{key}={value}" for key, value in self.environment)),
            *(f"{self.tools}/python", "-I", "-m", "vr.hosts.remote.service"),
            *("--name", self.name, "--root", self.root),
            *("--supervisor", self.supervisor, "--tools", self.tools),
        ]
        return shlex.join(argv)
