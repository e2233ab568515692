"""How Go prints, compares and judges the values of templates."""

from __future__ import annotations

from vr.pilot.template.errors import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def truth(value: Any) -> bool:
    """Empty string, 0, false and empty list are false."""
    return bool(value)


def printed(value: Any) -> str:
    """As fmt.Print writes one value."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(printed(item) for item in value) + "]"
    if hasattr(value, "items"):
        return "map[" + " ".join(f"{key}:{value[key]}" for key in sorted(value)) + "]"
    return str(value)


def print_all(values: Sequence[Any]) -> str:
    """As fmt.Sprint: a space between two values if neither is a string."""
    parts: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            parts.append(" ")
        parts.append(printed(value))
    return "".join(parts)


def kind(value: Any) -> str:
    """The name of a value's type in messages."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, str):
        return "string"
    return "[]string" if isinstance(value, (list, tuple)) else "map[string]string"


def check_comparable(left: Any, right: Any) -> None:
    """Raises Refused for types that Go does not compare."""
    for value in (left, right):
        if kind(value) not in ("bool", "int", "float64", "string"):
            raise Refused(f"a {kind(value)} can't be compared")
    if kind(left) != kind(right):
        raise Refused(f"incompatible types for comparison: {kind(left)} and {kind(right)}")


def _float(value: float) -> str:
    """Go's %v: the shortest digits, an exponent below 1e-4 and from 1e21 on."""
    text = repr(value)
    if "e" not in text and "." in text:
        return text[:-2] if text.endswith(".0") else text
    if 1e-4 <= abs(value) < 1e21:
        return str(int(value)) if value == int(value) else text
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa.removesuffix('.0')}e{exponent}"
