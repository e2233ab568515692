"""The tree of a parsed template. `position` is an index into its text."""

from __future__ import annotations

from typing import Any, NamedTuple


class Literal(NamedTuple):
    """A string, number or boolean."""

    value: Any
    position: int


class Dot(NamedTuple):
    position: int


class Variable(NamedTuple):
    """`$` or `$name`."""

    name: str
    position: int


class Function(NamedTuple):
    name: str
    position: int


class Fields(NamedTuple):
    """`.A.B` of something."""

    of: Any
    names: tuple[str, ...]
    position: int


class Pipeline(NamedTuple):
    """Commands joined by `|`; `variables` are set to its value, `declares` them newly."""

    commands: tuple[tuple[Any, ...], ...]
    variables: tuple[str, ...]
    declares: bool
    position: int


class Text(NamedTuple):
    text: str


class Action(NamedTuple):
    pipeline: Pipeline


class Branch(NamedTuple):
    """`kind` is if, with or range."""

    kind: str
    pipeline: Pipeline
    body: tuple[Any, ...]
    otherwise: tuple[Any, ...]


class Template(NamedTuple):
    """`text` is the source, for the places in errors."""

    nodes: tuple[Any, ...]
    text: str
