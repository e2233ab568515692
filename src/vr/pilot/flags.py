"""The command line, by the rules of Go's flag package (docs/reference/pilot.md#command-line)."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = """Usage of containerpilot: containerpilot [options] [program arg...]
  -config string
    \tJSON, or file:// and the path of a file with it (default: the variable CONTAINERPILOT)
  -out string
    \twith -template: where to write, "-" or file:// and a path (default "-")
  -template
    \trender the configuration's template, write it and exit
  -version
    \tshow version and exit
"""
_TEXTS = ("config", "out")
_SWITCHES = ("version", "template", "h", "help")
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")


class BadFlags(Exception):
    """To be shown with the usage."""


class Options(NamedTuple):
    """`config` is None if the flag is not there."""

    config: str | None
    out: str
    template: bool
    version: bool
    help: bool
    words: tuple[str, ...]


def parse_flags(arguments: Sequence[str]) -> Options:
    """Raises BadFlags. Options end at the first word that is none, or after `--`."""
    texts: dict[str, str] = {}
    switches: dict[str, bool] = {}
    rest = list(arguments)
    while rest and len(rest[0]) > 1 and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        name, equals, value = word[2 if word.startswith("--") else 1 :].partition("=")
        if not name or name.startswith("-"):
            raise BadFlags(f"bad flag syntax: {word}")
        if name in _TEXTS:
            if not equals:
                if not rest:
                    raise BadFlags(f"flag needs an argument: -{name}")
                value = rest.pop(0)
            texts[name] = value
        elif name in _SWITCHES:
            switches[name] = _switch(name, value) if equals else True
        else:
            raise BadFlags(f"flag provided but not defined: -{name}")
    return Options(
        texts.get("config"),
        texts.get("out", "-"),
        switches.get("template", False),
        switches.get("version", False),
        switches.get("h", False) or switches.get("help", False),
        tuple(rest),
    )


def _switch(name: str, value: str) -> bool:
    if value not in _TRUE + _FALSE:
        raise BadFlags(f'invalid boolean value "{value}" for -{name}: parse error')
    return value in _TRUE
