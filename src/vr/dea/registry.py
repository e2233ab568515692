"""The instances of this DEA, and what is left for more. Pure bookkeeping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vr.dea.config import DeaConfig
from vr.dea.instance import Instance
from vr.dea.messages import Filter, StartMessage
from vr.errors import VelociraptorError

_LONGEST_DELAY = 0.25


@dataclass
class Registry:
    config: DeaConfig
    instances: dict[str, Instance] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Instance]:
        return iter(list(self.instances.values()))

    @property
    def alive(self) -> list[Instance]:
        return [instance for instance in self if instance.alive]

    @property
    def reserved_memory(self) -> int:
        return sum(instance.reserved_memory for instance in self)

    @property
    def available_memory(self) -> int:
        return max(0, self.config.max_memory - self.reserved_memory)

    @property
    def full(self) -> bool:
        return len(self.alive) >= self.config.max_instances or self.available_memory == 0

    def matching(self, wanted: Filter) -> list[Instance]:
        return [instance for instance in self if instance.fits(wanted)]

    def crashed(self, droplet: str) -> list[Instance]:
        return [each for each in self if each.droplet == droplet and each.state == "CRASHED"]

    def check_room(self, message: StartMessage, disk_percent: float) -> None:
        """Raises VelociraptorError if the instance has no room here."""
        if len(self.alive) >= self.config.max_instances:
            raise VelociraptorError(f"{len(self.alive)} instances run here, which is the limit.")
        if message.limits.mem > self.available_memory:
            raise VelociraptorError(
                f"{message.limits.mem} MB are wanted, {self.available_memory} MB are available."
            )
        if disk_percent > self.config.droplet_fs_percent_used_threshold:
            raise VelociraptorError(f"The disk is {disk_percent:.0f} % full.")

    def free_user(self) -> int:
        """A user id that no other instance here has."""
        taken = {instance.uid for instance in self}
        uid = self.config.first_user
        while uid in taken:
            uid += 1
        return uid

    def discover_delay(self, droplet: str) -> float:
        """Seconds to wait before an offer, so that the emptiest DEA answers first."""
        own = sum(instance.droplet == droplet for instance in self.alive)
        share = self.reserved_memory / self.config.max_memory
        return min(0.010 * own + 0.100 * share, _LONGEST_DELAY)
