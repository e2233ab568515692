"""printf as Go does it, for the values that templates have."""

from __future__ import annotations

import json
import re

from vr.pilot.template.errors import Refused
from vr.pilot.template.values import kind, printed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_VERB = re.compile(r"%([-+# 0]*)(\d+)?(?:\.(\d*))?(.)?", re.DOTALL)
# Enough for any table; a typing error shall not fill the memory.
_WIDEST = 10_000


def sprintf(layout: str, values: Sequence[Any]) -> str:
    """Like fmt.Sprintf, with its notes for what does not fit: `%!d(string=x)`."""
    remaining = list(values)

    def replace(match: re.Match[str]) -> str:
        flags, width, precision, verb = match.groups()
        if verb is None:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if not remaining:
            return f"%!{verb}(MISSING)"
        text = _formatted(verb, flags, precision, remaining.pop(0))
        return _padded(text, flags, width)

    result = _VERB.sub(replace, layout)
    if remaining:
        extra = ", ".join(f"{kind(value)}={printed(value)}" for value in remaining)
        result += f"%!(EXTRA {extra})"
    return result


def _formatted(verb: str, flags: str, precision: str | None, value: Any) -> str:
    places = _bounded(precision) if precision is not None else None
    of = kind(value)
    if verb == "v":
        return printed(value)
    if verb == "T":
        return of
    if verb == "t" and of == "bool":
        return printed(value)
    if verb in "sq" and of == "string":
        text = value if places is None else value[:places]
        return text if verb == "s" else json.dumps(text, ensure_ascii=False)
    if verb in "xX" and of == "string":
        digits: str = value.encode("utf-8", "surrogateescape").hex()
        return digits.upper() if verb == "X" else digits
    if verb in "dxXobc" and of == "int":
        return chr(value) if verb == "c" and 0 <= value < 0xD800 else _whole(verb, flags, value)
    if verb in "feEgG" and of == "float64":
        sign = "+" if "+" in flags else ""
        if verb in "gG" and places is None:
            return printed(value)
        return format(value, f"{sign}.{6 if places is None else places}{verb}")
    if verb == "s" and of == "[]string":
        return printed(value)
    return f"%!{verb}({of}={printed(value)})"


def _whole(verb: str, flags: str, value: int) -> str:
    return format(value, ("+" if "+" in flags else "") + ("d" if verb == "c" else verb))


def _padded(text: str, flags: str, width: str | None) -> str:
    size = _bounded(width or "0")
    if "-" in flags:
        return text.ljust(size)
    if "0" in flags and text[:1] in ("+", "-"):
        return text[0] + text[1:].rjust(size - 1, "0")
    return text.rjust(size, "0" if "0" in flags else " ")


def _bounded(digits: str) -> int:
    if len(digits) > 6 or int(digits or "0") > _WIDEST:
        raise Refused(f"a width of {digits[:20]} is too much, at most {_WIDEST}")
    return int(digits or "0")
