"""JSON text to values, with errors that show the place (docs/reference/pilot.md#errors)."""

from __future__ import annotations

import json

from vr.pilot.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class JsonError(ConfigError):
    """The text is not JSON."""


def parse_json(text: str, shown: str | None = None) -> Any:
    """The value of a JSON text; raises JsonError.

    `shown` is the text to quote in errors, of the same length: the one without secrets.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_int)
    except json.JSONDecodeError as error:
        raise JsonError([located(shown or text, error.pos, error.msg)]) from None
    except RecursionError:
        raise JsonError(["Could not parse configuration: it is nested too deeply"]) from None
    except ValueError as error:
        raise JsonError([f"Could not parse configuration: {error}"]) from None
    return _without_lone_surrogates(value)


def located(text: str, position: int, reason: str) -> str:
    """`Parse error at line:col`, the line before and the bad one, and a pointer below."""
    position = min(max(position, 0), len(text))
    lines = text[:position].split("\n")
    line, column = len(lines), len(lines[-1]) + 1
    all_lines = text.split("\n")
    shown = [f"{n:5d}: {all_lines[n - 1]}" for n in (line - 1, line) if n > 0]
    pointer = "-" * (6 + column) + "^"
    return "\n".join([f"Parse error at line:col [{line}:{column}]: {reason}", *shown, pointer])


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _parse_int(digits: str) -> int:
    if len(digits) > 100:
        raise ValueError(f"the number {digits[:20]}… is too large")
    return int(digits)


def _without_lone_surrogates(value: Any) -> Any:
    """As Go decodes them. Bytes of the environment that are not UTF-8 stay what they are."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return "".join(
            "\ufffd" if "\ud800" <= c <= "\udfff" and not "\udc80" <= c <= "\udcff" else c
            for c in value
        )
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {
            _without_lone_surrogates(name): _without_lone_surrogates(item)
            for name, item in value.items()
        }
    return value
