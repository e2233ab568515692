"""Small changes of a module, each of which some test should notice. Pure.

Unlike the usual tools this changes constants of modules and fields of classes, too: limits are
what tests miss most. What errors say is left alone, as are docstrings and types.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_PROSE = re.compile(r"[a-z']+[ ,.;:]+[a-z']+[ ,.;:]+[a-z']+", re.IGNORECASE)
_UNTOUCHED = ("annotation", "returns", "type_comment", "decorator_list", "ctx")


@dataclass(frozen=True)
class Mutant:
    """A changed module: its whole `source`, and in which function what became what."""

    line: int
    where: str
    before: str
    after: str
    source: str

    @property
    def key(self) -> str:
        """What names it though lines above it come and go."""
        return f"{self.where}: {self.before} -> {self.after}"


@dataclass(frozen=True)
class _Place:
    """A node where it stands: `put` sets another one there."""

    node: ast.AST
    parent: ast.AST
    where: str
    in_error: bool
    put: Callable[[ast.AST], None]


def mutants_of(source: str) -> Iterator[Mutant]:
    """Every mutant of the module's `source`, from top to bottom."""
    tree = ast.parse(source)
    for place in list(_places(tree, "module")):
        if place.in_error and isinstance(place.node, ast.Constant):
            continue
        for other in _others(place.node):
            shown = place.parent if isinstance(place.node, ast.Constant) else place.node
            before = _text(shown)
            place.put(other)
            after = _text(shown if shown is place.parent else other)
            changed = ast.unparse(ast.fix_missing_locations(tree))
            place.put(place.node)
            line = getattr(place.node, "lineno", 0)
            yield Mutant(line, place.where, before, after, changed)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Pass):
        return "nothing"
    return " ".join(ast.unparse(node).split())[:160]


def _places(node: ast.AST, where: str, in_error: bool = False) -> Iterator[_Place]:
    for name, value in ast.iter_fields(node):
        if name in _UNTOUCHED:
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _is_left_alone(child):
                continue
            yield _Place(child, node, where, in_error, _putter(node, name, value, index))
            inner = child.name if isinstance(child, ast.FunctionDef | ast.ClassDef) else where
            yield from _places(child, inner, in_error or isinstance(child, ast.Raise))


def _putter(node: ast.AST, name: str, value: object, index: int) -> Callable[[ast.AST], None]:
    def put(other: ast.AST) -> None:
        if isinstance(value, list):
            value[index] = other
        else:
            setattr(node, name, other)

    return put


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return True
    if isinstance(node, ast.Assign) and ast.unparse(node) == "TYPE_CHECKING = False":
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _others(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the node's place."""
    match node:
        case ast.Compare(left=left, ops=[only], comparators=right) if type(only) in _COMPARED:
            yield ast.Compare(left, [_COMPARED[type(only)]()], right)
        case ast.BoolOp(op=operator, values=values):
            yield ast.BoolOp(ast.And() if isinstance(operator, ast.Or) else ast.Or(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _CALCULATED:
            yield ast.BinOp(left, _CALCULATED[type(operator)](), right)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str(value)) if not _PROSE.search(value):
            yield ast.Constant(f"XX{value}" if value else "XX")
        case ast.Return(value=value) if value is not None and not _is_nothing(value):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Delete():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case ast.Slice(lower=lower, upper=upper) if lower or upper:
            yield ast.Slice(None, None)


def _is_nothing(node: ast.AST) -> bool:
    """What is as false as None, which callers seldom tell apart."""
    match node:
        case ast.Constant(value=value):
            return not value
        case ast.Tuple(elts=[]) | ast.List(elts=[]):
            return True
    return False
