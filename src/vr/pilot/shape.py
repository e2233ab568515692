"""Reading typed values out of a JSON document, noting every problem with its path."""

from __future__ import annotations

import json
import re

from vr.pilot.durations import parse_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

# A century, in seconds; also what fits into every clock that counts them.
MAX_SECONDS = 3_155_760_000


class Problems:
    """What is wrong with a document, in the order in which it was read.

    `mask` hides secrets in the values that are shown.
    """

    def __init__(self, mask: Callable[[str], str]) -> None:
        self.found: list[str] = []
        self._mask = mask

    def add(self, path: str, message: str) -> None:
        self.found.append(self._mask(f"{path}: {message}" if path else message))


class Section:
    """One JSON object and the keys it may have; case does not matter, as in Go."""

    def __init__(self, value: dict[str, Any], path: str, keys: Sequence[str], problems: Problems):
        self.path = path
        self.problems = problems
        self._values: dict[str, Any] = {}
        by_lower = {key.lower(): key for key in keys}
        unknown = []
        for name, item in value.items():
            key = name if name in keys else by_lower.get(name.lower())
            if key is None:
                unknown.append(name)
            elif key == name or key not in value:
                self._values[key] = item
        if unknown:
            problems.add(path, _unknown_keys(unknown, keys))

    def at(self, key: str) -> str:
        """The JSON path of one of its keys."""
        return f"{self.path}.{key}" if self.path else key

    def raw(self, key: str) -> Any:
        """None if it is absent or null."""
        return self._values.get(key)

    def problem(self, key: str, message: str) -> None:
        self.problems.add(self.at(key), message)

    def text(self, key: str, default: str = "") -> str:
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, str) and "\0" not in value:
            return value
        self._wrong(key, "a string")
        return default

    def flag(self, key: str) -> bool:
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self._wrong(key, "true or false")
        return False

    def integer(self, key: str, default: int | None = None) -> int | None:
        """A whole number, also as a string; `default` if absent or wrong."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_SECONDS:
            return value
        self._wrong(key, "a whole number" if not isinstance(value, int) else "a smaller number")
        return None

    def positive(self, key: str, where: str, most: int | None = None) -> int:
        """A whole number from 1 on; notes the problem and gives 1 if it is none.

        `where` says in the message whose it is.
        """
        value = self.integer(key, 0)
        if value is not None and value < 1:
            got = shown(self.raw(key)) if self.raw(key) is not None else "nothing"
            self.problem(key, f"`{key}` must be > 0{where}: got {got}, expected a whole number")
        elif value is not None and most is not None and value > most:
            self.problem(key, f"`{key}` must be at most {most}{where}: got {value}")
        elif value is not None:
            return value
        return 1

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self.raw(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(v, str) and "\0" not in v for v in value):
            return tuple(value)
        self._wrong(key, "a list of strings")
        return ()

    def seconds(self, key: str, default: float | None = None) -> float | None:
        """A duration of at least 1 ms: `10s`, or a number of seconds."""
        value = self.raw(key)
        if value is None or value == "":
            return default
        found = None
        if isinstance(value, int) and not isinstance(value, bool):
            found = float(value)
        elif isinstance(value, str):
            try:
                found = parse_duration(value)
            except ValueError:
                pass
        if found is None or found < 0.001 or found > MAX_SECONDS:
            self._wrong(key, 'a duration of at least 1ms, such as "10s" or 10')
            return default
        return found

    def section(self, key: str, keys: Sequence[str]) -> Section | None:
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self._wrong(key, "an object")
            return None
        return Section(value, self.at(key), keys, self.problems)

    def sections(self, key: str, keys: Sequence[str], kind: str) -> Iterator[Section]:
        """The objects of a list; `kind` names it in errors, as `Service`."""
        value = self.raw(key)
        if value is None:
            return
        if not isinstance(value, list):
            expected = f"expected a list of objects, got {shown(value)}"
            self.problem(key, f"{kind} configuration error: {expected}")
            return
        for index, item in enumerate(value):
            path = f"{self.at(key)}[{index}]"
            if isinstance(item, dict):
                yield Section(item, path, keys, self.problems)
            else:
                expected = f"expected an object, got {shown(item)}"
                self.problems.add(path, f"{kind} configuration error: {expected}")

    def command(self, key: str, where: str = "") -> tuple[str, ...] | None:
        """A command, None if there is none; `where` ends the message."""
        try:
            return parse_command(self.raw(key))
        except ValueError as error:
            self.problem(
                key, f"Could not parse `{key}`{where}: {error}, got {shown(self.raw(key))}"
            )
            return None

    def _wrong(self, key: str, expected: str) -> None:
        got = shown(self.raw(key))
        self.problem(key, f"Could not parse configuration: expected {expected}, got {got}")


def parse_command(value: object) -> tuple[str, ...] | None:
    """A string is cut at every single space: no quotes, no escapes. Raises ValueError."""
    if value is None:
        return None
    if isinstance(value, str):
        words = value.strip().split(" ") if value.strip() else []
    elif isinstance(value, list) and all(isinstance(word, str) for word in value):
        words = value
    else:
        raise ValueError("Command argument must be a string or an array")
    if any("\0" in word for word in words):
        raise ValueError("Command argument must not contain a NUL character")
    if words and not words[0]:
        raise ValueError("Command argument must begin with a program")
    return tuple(words) or None


def shown(value: object) -> str:
    """A value for a message, as JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _unknown_keys(unknown: Sequence[str], keys: Sequence[str]) -> str:
    message = f"Unknown config keys: [{' '.join(unknown)}]"
    guesses = []
    for name in unknown:
        import difflib

        guesses += difflib.get_close_matches(name, keys, 1)
    if guesses:
        message += f" (did you mean {', '.join(guesses)}?)"
    return f"{message}; expected any of {', '.join(keys)}"
