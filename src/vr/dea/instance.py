"""One instance of a droplet: its state, and how it is spoken about on the bus."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from vr.dea.messages import Filter, StartMessage

State = Literal["STARTING", "RUNNING", "STOPPED", "CRASHED", "DELETED"]
Reason = Literal["STOPPED", "CRASHED", "DEA_SHUTDOWN", "DEA_EVACUATION"]

ALIVE: tuple[State, ...] = ("STARTING", "RUNNING")


@dataclass(frozen=True)
class Usage:
    """What an instance uses: CPU time in seconds, memory and disk in bytes."""

    cpu_seconds: float = 0.0
    memory: int = 0
    disk: int = 0


@dataclass
class Instance:
    """Changed by the agent only; what runs it reports to the agent."""

    id: str
    message: StartMessage
    uid: int
    host: str
    port: int = 0
    debug_port: int = 0
    console_port: int = 0
    state: State = "STARTING"
    state_timestamp: int = field(default_factory=lambda: int(time.time()))
    started: float = field(default_factory=time.time)
    uris: list[str] = field(default_factory=list)
    usage: Usage = Usage()
    exit_announced: bool = False

    @property
    def droplet(self) -> str:
        return str(self.message.droplet)

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    @property
    def reserved_memory(self) -> int:
        """MB that others can't have: also while it is being stopped."""
        return 0 if self.state in ("CRASHED", "DELETED") else self.message.limits.mem

    def become(self, state: State) -> None:
        self.state, self.state_timestamp = state, int(time.time())

    def fits(self, wanted: Filter) -> bool:
        version = str(self.message.version)
        return wanted.matches(self.droplet, version, self.id, self.message.index, self.state)

    def part(self) -> dict[str, Any]:
        """The instance part of a message."""
        return {
            "droplet": self.message.droplet,
            "version": self.message.version,
            "instance": self.id,
            "index": self.message.index,
            "state": self.state,
            "state_timestamp": self.state_timestamp,
            "cc_partition": self.message.cc_partition,
        }

    def extra_ports(self) -> dict[str, Any]:
        """Addresses for a debugger and a console, if they were asked for."""
        ports = {"debug": self.debug_port, "console": self.console_port}
        return {
            key: value
            for kind, port in ports.items()
            if port
            for key, value in ((f"{kind}_ip", self.host), (f"{kind}_port", port))
        }

    def stats(self, *, cores: bool = False) -> dict[str, Any]:
        """Name, address, limits and use; memory in KB, the rest of `usage` in bytes, seconds.

        With `cores`, also how many CPUs there are.
        """
        limits = self.message.limits
        return {
            **({"cores": os.cpu_count()} if cores else {}),
            "name": self.message.name,
            "host": self.host,
            "port": self.port,
            "uris": self.uris,
            "uptime": time.time() - self.started,
            "mem_quota": limits.mem << 20,
            "disk_quota": limits.disk << 20,
            "fds_quota": limits.fds,
            "usage": {
                "time": self.usage.cpu_seconds,
                "cpu": self.usage.cpu_seconds / max(0.1, time.time() - self.started),
                "mem": self.usage.memory >> 10,
                "disk": self.usage.disk,
            },
        }

    def registration(self, dea: str, uris: list[str] | None = None) -> dict[str, Any]:
        """The message that (un)registers addresses with the router."""
        return {
            "dea": dea,
            "app": self.message.droplet,
            "host": self.host,
            "port": self.port,
            "uris": self.uris if uris is None else uris,
            "tags": {"framework": self.message.framework, "runtime": self.message.runtime},
            "private_instance_id": self.id,
        }

    def exit_message(self, reason: Reason, status: int | None, description: str) -> dict[str, Any]:
        message = {
            "droplet": self.message.droplet,
            "version": self.message.version,
            "instance": self.id,
            "index": self.message.index,
            "reason": reason,
            "cc_partition": self.message.cc_partition,
        }
        if reason == "CRASHED":
            message["crash_timestamp"] = int(time.time())
        if status is not None:
            message["exit_status"] = status
        if description:
            message["exit_description"] = description
        return message
