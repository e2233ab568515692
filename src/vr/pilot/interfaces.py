"""Which address a service advertises: pure (docs/reference/pilot.md#interfaces)."""

from __future__ import annotations

import re
import socket
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

DEFAULT = ("eth0:inet",)
# Linux allows nearly everything in a name; the original took \w only.
_NAMED = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.@-]*)(?:\[(\d+)\]|:(inet6?))?", re.ASCII)
_V4_MAPPED = b"\0" * 10 + b"\xff\xff"


class Address(NamedTuple):
    """An address of an interface; `packed` is its 16-byte form."""

    interface: str
    packed: bytes

    @classmethod
    def parse(cls, interface: str, text: str) -> Address:
        """Raises OSError if `text` is no address."""
        return cls(interface, _packed(text))

    @property
    def v4(self) -> bool:
        return self.packed.startswith(_V4_MAPPED)

    @property
    def loopback(self) -> bool:
        return self.packed[12] == 127 if self.v4 else self.packed == b"\0" * 15 + b"\x01"

    def __str__(self) -> str:
        if self.v4:
            return socket.inet_ntop(socket.AF_INET, self.packed[12:])
        return socket.inet_ntop(socket.AF_INET6, self.packed)


class BadSpec(ValueError):
    """Specifications that can't be read: all of them."""


class NoMatch(ValueError):
    """No specification matches an address."""


def choose(specs: Sequence[str], addresses: Iterable[Address]) -> str:
    """The address of the first specification that matches; raises BadSpec or NoMatch."""
    rules = []
    bad = []
    for spec in specs:
        rule = parse_spec(spec)
        if rule is None:
            bad.append(spec)
        else:
            rules.append(rule)
    if bad:
        raise BadSpec("\n".join(f"Unable to parse interface spec: {spec}" for spec in bad))
    ordered = sorted(addresses)
    for rule in rules:
        found = rule(ordered)
        if found is not None:
            return found
    known = ", ".join(f"{address.interface}:{address}" for address in ordered)
    raise NoMatch(
        "None of the interface specifications were able to match\n"
        f"Specifications: [{', '.join(specs)}]\n"
        f"Interfaces IPs: [{known}]"
    )


def parse_spec(spec: str) -> Callable[[Sequence[Address]], str | None] | None:
    """What finds the address among the ordered ones; None if the specification is invalid."""
    if spec in ("inet", "inet6"):
        return lambda found: _first(a for a in found if a.v4 == (spec == "inet") and not a.loopback)
    if spec.startswith("static:"):
        return _static(spec[len("static:") :])
    network = _network(spec)
    if network is not None:
        mask, prefix = network
        is_v4 = ":" not in spec
        return lambda found: _first(
            a for a in found if a.v4 == is_v4 and _number(a.packed) & mask == prefix
        )
    named = _NAMED.fullmatch(spec)
    # A word that looks like an address is one without the mask that is needed.
    if named is None or _is_address(spec):
        return None
    name, index, family = named.groups()
    if index is not None:
        return lambda found: _first([a for a in found if a.interface == name][_bounded(index) :])
    v4 = family != "inet6"
    return lambda found: _first(a for a in found if a.interface == name and a.v4 == v4)


def _static(text: str) -> Callable[[Sequence[Address]], str | None] | None:
    return (lambda _: text) if _is_address(text) else None


def _network(spec: str) -> tuple[int, int] | None:
    """Mask and prefix of a CIDR, in 128 bits; None if it is none."""
    text, slash, length = spec.partition("/")
    if not slash or not re.fullmatch(r"\d{1,3}", length, re.ASCII) or not _is_address(text):
        return None
    bits = int(length)
    size = 128 if ":" in text else 32
    if bits > size:
        return None
    mask = (1 << 128) - (1 << (size - bits))
    return mask, _number(_packed(text)) & mask


def _bounded(index: str) -> int:
    return int(index[:9])


def _first(found: Iterable[Address]) -> str | None:
    return next((str(address) for address in found), None)


def _is_address(text: str) -> bool:
    try:
        _packed(text)
    except (OSError, ValueError):
        return False
    return True


def _packed(text: str) -> bytes:
    if ":" in text:
        return socket.inet_pton(socket.AF_INET6, text)
    return _V4_MAPPED + socket.inet_pton(socket.AF_INET, text)


def _number(packed: bytes) -> int:
    return int.from_bytes(packed, "big")
