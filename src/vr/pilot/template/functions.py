"""The functions of templates: Go's own, ContainerPilot's, and `json`."""

from __future__ import annotations

import re

from vr.pilot.template.errors import Refused
from vr.pilot.template.formatting import sprintf
from vr.pilot.template.values import check_comparable, kind, print_all, printed, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _default(fallback: Any, value: Any) -> str:
    return value if isinstance(value, str) and value else printed(fallback)


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise Refused("missing argument for comparison")
    for other in others:
        check_comparable(first, other)
    return any(first == other for other in others)


def _ne(left: Any, right: Any) -> bool:
    check_comparable(left, right)
    return bool(left != right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def function(left: Any, right: Any) -> bool:
        check_comparable(left, right)
        if isinstance(left, bool):
            raise Refused("invalid type for comparison: bool")
        return compare(left, right)

    return function


def _and(*values: Any) -> Any:
    return next((value for value in values if not truth(value)), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if truth(value)), values[-1])


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, (str, list, tuple)):
            value = _item(value, key)
        elif not hasattr(value, "items"):
            raise Refused(f"can't index item of type {kind(value)}")
        elif not isinstance(key, str):
            raise Refused(f"the name of a variable is a string, not {kind(key)}")
        else:
            value = value.get(key, "")
    return value


def _item(value: Any, key: Any) -> Any:
    if isinstance(key, bool) or not isinstance(key, int):
        raise Refused(f"cannot index slice/array with type {kind(key)}")
    if not 0 <= key < len(value):
        raise Refused(f"index out of range: {key}")
    # Go's strings are bytes, and an item is a number.
    return ord(value[key]) if isinstance(value, str) else value[key]


def _len(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if kind(value) in ("bool", "int", "float64"):
        raise Refused(f"len of type {kind(value)}")
    return len(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(f"expected string; found {kind(value)}")
    return value


def _split(separator: Any, text: Any) -> list[str]:
    text, separator = _text(text), _text(separator)
    if not text:
        return []
    return text.split(separator) if separator else list(text)


def _join(separator: Any, items: Any) -> str:
    if not isinstance(items, (list, tuple)):
        raise Refused(f"expected a list; found {kind(items)}")
    return _text(separator).join(printed(item) for item in items)


def _replace_all(old: Any, new: Any, text: Any) -> str:
    return _text(text).replace(_text(old), _text(new))


def _regex_replace_all(pattern: Any, new: Any, text: Any) -> str:
    try:
        found = re.compile(_text(pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise Refused(f"error parsing regexp: {error}") from None
    template = _text(new)

    def expand(match: re.Match[str]) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference.group(1) or reference.group(2)
            if name is None:
                return "$"
            try:
                return match.group(int(name) if name.isdigit() else name) or ""
            except (IndexError, OverflowError):
                return ""

        return re.sub(r"\$(?:\$|(\w+)|\{(\w+)\})", group, template)

    return found.sub(expand, _text(text))


def _html(*values: Any) -> str:
    table = {0: "\ufffd", 34: "&#34;", 39: "&#39;", 38: "&amp;", 60: "&lt;", 62: "&gt;"}
    return print_all(values).translate(table)


def _js(*values: Any) -> str:
    table = {92: "\\\\", 39: "\\'", 34: '\\"', 60: "\\u003C", 62: "\\u003E", 38: "\\u0026"}
    table.update({61: "\\u003D", **{code: f"\\u{code:04X}" for code in range(32)}})
    return print_all(values).translate(table)


def _urlquery(*values: Any) -> str:
    keep = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    data = print_all(values).encode("utf-8", "surrogateescape")
    return "".join("+" if b == 32 else chr(b) if b in keep else f"%{b:02X}" for b in data)


def _json(value: Any) -> str:
    """A value as JSON, quotes included: safe for whatever it contains."""
    import json

    return json.dumps(value if kind(value) != "map[string]string" else dict(value))


# What each does, and how many arguments it takes at least and at most.
FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int | None]] = {
    "and": (_and, 1, None),
    "default": (_default, 2, 2),
    "eq": (_eq, 1, None),
    "ge": (_ordered(lambda left, right: bool(left >= right)), 2, 2),
    "gt": (_ordered(lambda left, right: bool(left > right)), 2, 2),
    "html": (_html, 0, None),
    "index": (_index, 1, None),
    "join": (_join, 2, 2),
    "js": (_js, 0, None),
    "json": (_json, 1, 1),
    "le": (_ordered(lambda left, right: bool(left <= right)), 2, 2),
    "len": (_len, 1, 1),
    "lt": (_ordered(lambda left, right: bool(left < right)), 2, 2),
    "ne": (_ne, 2, 2),
    "not": (lambda value: not truth(value), 1, 1),
    "or": (_or, 1, None),
    "print": (lambda *values: print_all(values), 0, None),
    "printf": (lambda layout, *values: sprintf(_text(layout), values), 1, None),
    "println": (lambda *values: " ".join(map(printed, values)) + "\n", 0, None),
    "regexReplaceAll": (_regex_replace_all, 3, 3),
    "replaceAll": (_replace_all, 3, 3),
    "split": (_split, 2, 2),
    "urlquery": (_urlquery, 0, None),
}


def call(name: str, arguments: list[Any]) -> Any:
    """The function's value; raises Refused."""
    function, least, most = FUNCTIONS[name]
    if len(arguments) < least or (most is not None and len(arguments) > most):
        wanted = str(least) if least == most else f"at least {least}"
        raise Refused(f"wrong number of args for {name}: want {wanted} got {len(arguments)}")
    try:
        return function(*arguments)
    except Refused as error:
        raise Refused(f"error calling {name}: {error}") from None
