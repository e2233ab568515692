"""Tokens to a tree; everything that can be wrong before variables are known is found here."""

from __future__ import annotations

from vr.pilot.template.errors import at
from vr.pilot.template.functions import FUNCTIONS
from vr.pilot.template.lexer import Token, tokens, unquoted
from vr.pilot.template.nodes import (
    Action,
    Branch,
    Dot,
    Fields,
    Function,
    Literal,
    Pipeline,
    Template,
    Text,
    Variable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vr.pilot.template.errors import TemplateError

_BRANCHES = ("if", "with", "range")
_UNSUPPORTED = ("define", "template", "block", "break", "continue")
# Deeper ones come from no human, and Python's own stack is limited.
_DEEPEST = 100


def parse(text: str) -> Template:
    """The tree of a template; raises TemplateError."""
    parser = _Parser(text)
    nodes, _ = parser.body(0, ())
    return Template(nodes, text)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._next = 0
        # Names that are known at this place; `$` always is.
        self._variables = ["$"]

    def body(self, depth: int, closers: tuple[str, ...]) -> tuple[tuple[Any, ...], str]:
        """Nodes up to one of the closing words, which is taken and returned."""
        self._check_depth(depth)
        nodes: list[Any] = []
        while True:
            token = self._peek()
            if token is None:
                if closers:
                    raise at(self._text, len(self._text), "unexpected EOF, expected {{end}}")
                return tuple(nodes), ""
            self._next += 1
            if token.kind == "text":
                nodes.append(Text(token.value))
                continue
            # The token is the first of an action.
            self._next -= 1
            word = token.value if token.kind == "word" else ""
            if word in ("end", "else"):
                self._next += 1
                if word not in closers:
                    raise at(self._text, token.position, f"unexpected {{{{{word}}}}}")
                return tuple(nodes), word
            if word in _UNSUPPORTED:
                raise at(self._text, token.position, f"{{{{{word}}}}} is not supported")
            if word in _BRANCHES:
                self._next += 1
                nodes.append(self._branch(word, depth))
            else:
                nodes.append(Action(self._pipeline("end", depth)))

    def _branch(self, kind: str, depth: int) -> Branch:
        known = len(self._variables)
        pipeline = self._pipeline("end", depth, in_range=kind == "range")
        body, closer = self.body(depth + 1, ("else", "end"))
        otherwise: tuple[Any, ...] = ()
        if closer == "else":
            token = self._peek()
            chained = kind != "range" and token is not None and token.value == kind
            if chained:
                # {{else if}}: a branch inside that shares the one {{end}}.
                self._next += 1
                otherwise = (self._branch(kind, depth + 1),)
                del self._variables[known:]
                return Branch(kind, pipeline, body, otherwise)
            self._expect_end()
            otherwise, _ = self.body(depth + 1, ("end",))
        self._expect_end()
        del self._variables[known:]
        return Branch(kind, pipeline, body, otherwise)

    def _expect_end(self) -> None:
        token = self._take()
        if token.kind != "end":
            raise at(self._text, token.position, f"unexpected {token.value!r}")

    def _pipeline(self, closer: str, depth: int, in_range: bool = False) -> Pipeline:
        self._check_depth(depth)
        first = self._peek()
        position = first.position if first else len(self._text)
        names, declares = self._declarations(in_range)
        commands: list[tuple[Any, ...]] = []
        while True:
            commands.append(self._command(closer, depth))
            token = self._take()
            if token.value == "|":
                continue
            break
        for later in commands[1:]:
            if isinstance(later[0], (Literal, Dot)):
                raise at(
                    self._text, later[0].position, "non executable command in pipeline, expected "
                    "a function after |"
                )  # fmt: skip
        if declares:
            self._variables += names
        return Pipeline(tuple(commands), tuple(names), declares, position)

    def _declarations(self, in_range: bool) -> tuple[list[str], bool]:
        """`$v :=`, `$v =`, and for range `$i, $v :=`."""
        start = self._next
        names: list[str] = []
        while True:
            token = self._peek()
            if token is None or token.kind != "variable":
                break
            names.append(token.value)
            self._next += 1
            follows = self._peek()
            if follows is not None and follows.value == "," and in_range and len(names) == 1:
                self._next += 1
                continue
            if follows is not None and follows.value in (":=", "="):
                self._next += 1
                if follows.value == "=":
                    for name in names:
                        self._check_variable(name, token.position)
                return names, follows.value == ":="
            break
        self._next = start
        return [], False

    def _command(self, closer: str, depth: int) -> tuple[Any, ...]:
        """Operands up to `|` or the closer, which stay."""
        operands: list[Any] = []
        while True:
            token = self._peek()
            if token is None:
                raise at(self._text, len(self._text), "unclosed action")
            if token.value == "|" and token.kind == "mark":
                break
            if token.kind == closer or (closer == ")" and token.value == ")"):
                break
            if operands and token.glued:
                raise at(self._text, token.position, f"unexpected {token.value!r} in operand")
            operands.append(self._operand(depth))
        if not operands:
            raise at(self._text, token.position, "missing value for command")
        if isinstance(operands[0], Literal) and len(operands) > 1:
            raise at(self._text, operands[0].position, "can't give argument to non-function")
        return tuple(operands)

    def _operand(self, depth: int) -> Any:
        token = self._take()
        if token.kind == "field":
            operand: Any = Fields(Dot(token.position), (token.value[1:],), token.position)
        elif token.kind == "variable":
            self._check_variable(token.value, token.position)
            operand = Variable(token.value, token.position)
        elif token.kind == "word":
            operand = self._word(token)
        elif token.value == ".":
            operand = Dot(token.position)
        elif token.value == "(":
            operand = self._pipeline(")", depth + 1)
            if operand.variables:
                raise at(self._text, token.position, "a variable can't be set in parentheses")
        else:
            return self._literal(token)
        return self._fields_of(operand)

    def _fields_of(self, operand: Any) -> Any:
        """The operand with the fields glued to it."""
        names: list[str] = []
        while True:
            token = self._peek()
            if token is None or token.kind != "field" or not token.glued:
                break
            if isinstance(operand, (Function, Literal, Dot)):
                raise at(self._text, token.position, f"unexpected {token.value!r}")
            self._next += 1
            names.append(token.value[1:])
            position = token.position
        if not names:
            return operand
        if isinstance(operand, Fields):
            return Fields(operand.of, operand.names + tuple(names), operand.position)
        return Fields(operand, tuple(names), position)

    def _word(self, token: Token) -> Any:
        if token.value in ("true", "false"):
            return Literal(token.value == "true", token.position)
        if token.value == "nil":
            raise at(self._text, token.position, "nil is not a command")
        if token.value not in FUNCTIONS:
            raise at(self._text, token.position, f'function "{token.value}" not defined')
        return Function(token.value, token.position)

    def _literal(self, token: Token) -> Literal:
        try:
            if token.kind in ("string", "raw"):
                return Literal(unquoted(token.value), token.position)
            if token.kind == "char":
                character = unquoted(token.value)
                if len(character) != 1:
                    raise ValueError("a character constant is one character")
                return Literal(ord(character), token.position)
            if token.kind == "number":
                return Literal(_number(token.value), token.position)
        except (ValueError, OverflowError) as error:
            raise at(self._text, token.position, f"{error}: {token.value[:40]}") from None
        raise at(self._text, token.position, f"unexpected {token.value!r}")

    def _check_variable(self, name: str, position: int) -> None:
        if name not in self._variables:
            raise at(self._text, position, f'undefined variable "{name}"')

    def _check_depth(self, depth: int) -> None:
        if depth > _DEEPEST:
            position = self._tokens[min(self._next, len(self._tokens) - 1)].position
            raise at(self._text, position, "nested too deeply")

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> Token:
        token = self._peek()
        if token is None:
            raise self._unclosed()
        self._next += 1
        return token

    def _unclosed(self) -> TemplateError:
        return at(self._text, len(self._text), "unclosed action")


def _number(text: str) -> int | float:
    if "x" in text.lower():
        value: int | float = int(text, 16)
    else:
        try:
            value = int(text) if len(text) < 30 else float(text)
        except ValueError:
            value = float(text)
    if value in (float("inf"), float("-inf")) or (isinstance(value, int) and abs(value) >= 2**63):
        raise OverflowError("number too large")
    return value
