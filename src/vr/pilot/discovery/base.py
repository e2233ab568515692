"""What the pilot asks of a discovery service."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from vr.pilot.config import Record
else:
    Protocol = object


class Instance(NamedTuple):
    """A healthy instance of a backend. Only address and port matter for changes."""

    id: str
    address: str
    port: int


class Discovery(Protocol):
    """All methods raise DiscoveryError when there is no good answer."""

    async def announce(self, record: Record) -> bool:
        """Replace what a dead container may have left under this id.

        Does not make the service healthy. True: it is registered now; False: nothing of it is.
        """

    async def register(self, record: Record) -> None: ...

    async def heartbeat(self, record: Record) -> None:
        """Keep it healthy for its ttl; raises NotRegistered."""

    async def deregister(self, record: Record) -> None: ...

    async def instances(self, name: str, tag: str) -> list[Instance]:
        """The healthy instances; empty `tag`: whatever their tags."""

    def close(self) -> None: ...


def changed(before: list[Instance], now: list[Instance]) -> bool:
    """Another count, or another address or port once both are sorted by id."""

    def places(instances: list[Instance]) -> list[tuple[str, int]]:
        return [(found.address, found.port) for found in sorted(instances)]

    return places(before) != places(now)
