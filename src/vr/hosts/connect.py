"""From a host's name to a connection to this machine; others are reached by `remote`."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from vr.hosts.connection import HostConnection
from vr.hosts.local import LocalConnection
from vr.hosts.supervisor import HostUnreachable, Supervisor
from vr.paths import Root

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NotThisMachine(HostUnreachable):
    """The host is another machine, and nobody said how to get there."""


@dataclass(frozen=True)
class ThisMachine:
    """The machine we run on, as a host: what it is called ("": any of its own names), the folder
    of its procs, the address of its Supervisor, the folder of its commands."""

    name: str
    root: Root
    supervisor_url: str
    tools: Path

    def is_called(self, host_name: str) -> bool:
        """Is the host of that name this machine?"""
        if self.name:
            return host_name == self.name
        return self.calls_itself(host_name)

    def calls_itself(self, host_name: str) -> bool:
        """Is it a name that any machine has for itself?"""
        return host_name in _LOOPBACK | {socket.gethostname(), socket.getfqdn()}


def connect(host_name: str, here: ThisMachine) -> HostConnection:
    """A connection to this machine, if that is the host of that name.

    Raises NotThisMachine for any other.
    """
    if not here.is_called(host_name):
        raise NotThisMachine(
            f"{host_name} is another machine than this one ({here.name or 'localhost'}), and has "
            "not been prepared as a host.",
            hint=f"Prepare it: vr hosts add {host_name}. Or set it inactive.",
        )
    supervisor = Supervisor(host_name, here.supervisor_url)
    return LocalConnection(host_name, here.root, supervisor, here.tools)


def connect_from_settings(host_name: str, here: ThisMachine) -> HostConnection:
    """The same for a host that settings name, where `localhost` is this machine whatever it is
    called among the hosts of squads."""
    own = here.name or "localhost"
    return connect(own if here.calls_itself(host_name) else host_name, here)
