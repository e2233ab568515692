"""The Procfile, read line by line; it is not YAML (docs/reference/buildpack.md#procfile)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LINE = re.compile(r"\s*([A-Za-z0-9_-]+)\s*:\s*(\S.*?)\s*")


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
        match = _LINE.fullmatch(line)
        if not match:
            result.problems.append(
                f"line {number}: {line.strip()!r} is not of the form 'name: command'"
            )
            continue
        name, command = match.groups()
        if "-" in name:
            result.problems.append(
                f"line {number}: the name {name!r} contains '-', which separates the parts of a "
                f"proc's name; call it {name.replace('-', '_')!r}"
            )
            continue
        if name in result.commands:
            result.warnings.append(f"line {number}: {name!r} appears twice; the last one counts")
        result.commands[name] = command
    return result
