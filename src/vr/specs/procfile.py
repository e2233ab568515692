"""The Procfile, read line by line; it is not YAML (docs/reference/buildpack.md#procfile)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_MOST_PROBLEMS = 20
_SHOWN = 80


@dataclass(frozen=True)
class Procfile:
    """Process types and their commands, verbatim, in the file's order.

    `problems` make it unfit to be built; `warnings` are worth telling. Both are sentences.
    """

    commands: dict[str, str]
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def parse(text: str) -> Procfile:
    """Read a Procfile's text; accepts CRLF, tabs, a byte order mark and no final newline."""
    result = Procfile({})
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(result.problems) == _MOST_PROBLEMS:
            result.problems.append(f"line {number} and those after it were not looked at")
            break
        name, _, command = (part.strip() for part in line.partition(":"))
        if not _NAME.fullmatch(name) or not command:
            result.problems.append(
                f"line {number}: {_shown(line.strip())} is not of the form 'name: command'"
            )
            continue
        if "-" in name:
            result.problems.append(
                f"line {number}: the name {_shown(name)} contains '-', which separates the parts "
                f"of a proc's name; call it {_shown(name.replace('-', '_'))}"
            )
            continue
        if name in result.commands:
            result.warnings.append(f"line {number}: {name!r} appears twice; the last one counts")
        result.commands[name] = command
    return result


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
