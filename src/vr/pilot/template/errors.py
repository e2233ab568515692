"""What is wrong with a template, and where."""

from __future__ import annotations


class TemplateError(Exception):
    """`line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"template: line {line}, column {column}: {message}")
        self.line = line
        self.column = column


class Refused(Exception):
    """A function does not take its arguments; the place is added where it is called."""


def at(text: str, position: int, message: str) -> TemplateError:
    """The error for a position in the template's text."""
    before = text[:position]
    return TemplateError(message, before.count("\n") + 1, position - before.rfind("\n"))
