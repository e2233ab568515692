"""The part of Go's text/template that configurations use (docs/reference/pilot.md#templates)."""

from __future__ import annotations

from vr.pilot.template.errors import TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TemplateError", "render"]


def render(text: str, variables: Mapping[str, str]) -> str:
    """The text with its actions carried out; raises TemplateError with line and column.

    A name that is not among the variables is the empty string.
    """
    if "{{" not in text:
        return text
    from vr.pilot.template.evaluate import evaluate
    from vr.pilot.template.parser import parse

    return evaluate(parse(text), variables)
