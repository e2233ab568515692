"""Resources by the name in their addresses, for fields that link to them.

Resources link to one another in circles, so a field names its target and finds it here when it
is used, after all of them have been made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


class Linked(Protocol):
    """As much of a resource as a link to it needs."""

    @property
    def name(self) -> str: ...

    @property
    def noun(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def component(self) -> str: ...

    def uri(self, source: Any) -> str: ...

    def find(self, key: str) -> Any: ...

    def choices(self) -> str: ...

    def dump(self, source: Any, answering: Any) -> dict[str, Any]: ...


_RESOURCES: dict[str, Linked] = {}


def register(resources: Iterable[Linked]) -> None:
    """Make resources known by their names."""
    _RESOURCES.update({one.name: one for one in resources})


def named(name: str) -> Linked:
    """The resource of that name; a KeyError is a mistake in the table."""
    return _RESOURCES[name]
