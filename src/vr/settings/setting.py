"""One row of the table: a variable, what it may be, and who reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar, cast

from vr.settings.readers import Reader

T = TypeVar("T")
_KEY = "setting"


class Process(StrEnum):
    """Who reads a setting."""

    UP = "vr up"
    SERVER = "server"
    TOOLS = "tools"


@dataclass(frozen=True)
class Setting:
    """How a field of `Settings` is read.

    `default` is text as a user would write it; `{VR_HOME}` in it stands for that variable.
    `shown` is the default as the documentation tells it, where that says more. `is_hidden` is
    for texts that hold passwords: no problem quotes them. With `file_reader`, the variable
    `<variable>_FILE` may name a file with a text for that reader, and goes first.
    """

    variable: str
    reader: Reader[Any]
    default: str
    meaning: str
    read_by: frozenset[Process]
    shown: str = ""
    is_hidden: bool = False
    file_reader: Reader[Any] | None = None

    @property
    def file_variable(self) -> str:
        """The variable that may name a file instead; empty if none may."""
        return f"{self.variable}_FILE" if self.file_reader else ""

    @property
    def variables(self) -> tuple[str, ...]:
        """The names by which the environment may give it."""
        return tuple(filter(None, (self.variable, self.file_variable)))


def setting(
    variable: str,
    reader: Reader[T],
    default: str,
    *,
    meaning: str,
    read_by: set[Process],
    shown: str = "",
    is_hidden: bool = False,
    file_reader: Reader[T] | None = None,
) -> T:
    """A field of `Settings` that is read from `variable`; see Setting."""
    row = Setting(
        variable,
        reader,
        default,
        meaning,
        frozenset(read_by),
        shown,
        is_hidden,
        file_reader,
    )
    return cast(T, field(repr=not is_hidden, metadata={_KEY: row}))


def setting_of(metadata: Any) -> Setting:
    """The row that a dataclass field's metadata holds."""
    return cast(Setting, metadata[_KEY])
