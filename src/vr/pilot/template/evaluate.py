"""A parsed template and variables to text."""

from __future__ import annotations

from vr.pilot.template.errors import Refused, at
from vr.pilot.template.functions import call
from vr.pilot.template.nodes import (
    Action,
    Branch,
    Dot,
    Fields,
    Function,
    Literal,
    Pipeline,
    Text,
    Variable,
)
from vr.pilot.template.values import kind, printed, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from vr.pilot.template.nodes import Template


def evaluate(template: Template, variables: Mapping[str, str]) -> str:
    """The rendered text; raises TemplateError."""
    run = _Run(template.text, variables)
    run.nodes(template.nodes, variables)
    return "".join(run.output)


class _Run:
    def __init__(self, text: str, root: Any) -> None:
        self._text = text
        self.output: list[str] = []
        # Innermost last, with the dot as `$`.
        self._variables: list[tuple[str, Any]] = [("$", root)]

    def nodes(self, nodes: Iterable[Any], dot: Any) -> None:
        for node in nodes:
            if isinstance(node, Text):
                self.output.append(node.text)
            elif isinstance(node, Action):
                value = self._pipeline(node.pipeline, dot)
                if not node.pipeline.variables:
                    self.output.append(printed(value))
            else:
                self._branch(node, dot)

    def _branch(self, branch: Branch, dot: Any) -> None:
        known = len(self._variables)
        if branch.kind == "range":
            self._range(branch, dot)
        else:
            value = self._pipeline(branch.pipeline, dot)
            if truth(value):
                self.nodes(branch.body, value if branch.kind == "with" else dot)
            else:
                self.nodes(branch.otherwise, dot)
        del self._variables[known:]

    def _range(self, branch: Branch, dot: Any) -> None:
        pipeline = branch.pipeline
        value = self._pipeline(pipeline._replace(variables=()), dot)
        if isinstance(value, (list, tuple)):
            items: list[tuple[Any, Any]] = list(enumerate(value))
        elif hasattr(value, "items"):
            items = sorted(value.items())
        else:
            raise at(self._text, pipeline.position, f"range can't iterate over {printed(value)}")
        if not items:
            self.nodes(branch.otherwise, dot)
        known = len(self._variables)
        for key, item in items:
            values = (item,) if len(pipeline.variables) == 1 else (key, item)
            for name, part in zip(pipeline.variables, values):
                self._set(name, part, pipeline)
            self.nodes(branch.body, item)
            del self._variables[known:]

    def _set(self, name: str, value: Any, pipeline: Pipeline) -> None:
        if pipeline.declares:
            self._variables.append((name, value))
            return
        for index in range(len(self._variables) - 1, -1, -1):
            if self._variables[index][0] == name:
                self._variables[index] = (name, value)
                return

    def _pipeline(self, pipeline: Pipeline, dot: Any) -> Any:
        value: Any = None
        for index, command in enumerate(pipeline.commands):
            value = self._command(command, dot, [value] if index else [])
        for name in pipeline.variables:
            self._set(name, value, pipeline)
        return value

    def _command(self, command: tuple[Any, ...], dot: Any, piped: list[Any]) -> Any:
        first = command[0]
        if not isinstance(first, Function):
            if len(command) > 1 or piped:
                raise at(self._text, first.position, "can't give argument to non-function")
            return self._operand(first, dot)
        if first.name in ("and", "or"):
            return self._short_circuit(first, command[1:], dot, piped)
        arguments = [self._operand(operand, dot) for operand in command[1:]]
        return self._call(first, arguments + piped)

    def _short_circuit(
        self, function: Function, operands: tuple[Any, ...], dot: Any, piped: list[Any]
    ) -> Any:
        values: list[Any] = []
        for operand in operands:
            values.append(self._operand(operand, dot))
            if truth(values[-1]) == (function.name == "or"):
                return values[-1]
        return self._call(function, values + piped)

    def _call(self, function: Function, arguments: list[Any]) -> Any:
        try:
            return call(function.name, arguments)
        except Refused as error:
            raise at(self._text, function.position, str(error)) from None

    def _operand(self, operand: Any, dot: Any) -> Any:
        if isinstance(operand, Literal):
            return operand.value
        if isinstance(operand, Dot):
            return dot
        if isinstance(operand, Variable):
            return next(value for name, value in reversed(self._variables) if name == operand.name)
        if isinstance(operand, Function):
            return self._call(operand, [])
        if isinstance(operand, Fields):
            value = self._operand(operand.of, dot)
            for name in operand.names:
                if not hasattr(value, "items"):
                    reason = f"can't evaluate field {name} in type {kind(value)}"
                    raise at(self._text, operand.position, reason)
                value = value.get(name, "")
            return value
        return self._pipeline(operand, dot)
