"""The one reader of YAML that others wrote: bounded in size, depth and what aliases make of it.

Dates are text. What must stay as it was typed (environments, where YAML 1.1 would read `01234`
as 668 and `yes` as true) is named by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

LARGEST = 1 << 20
"""Bytes, or characters, of a text."""
DEEPEST = 50
MOST_VALUES = 100_000
"""Values of a document, counted again wherever an alias repeats them."""
_LONGEST_NUMBER = 64

Path = tuple[str, ...]
_TAG = "tag:yaml.org,2002:"
_STRING = f"{_TAG}str"
_RETYPED = {f"{_TAG}{name}" for name in ("bool", "int", "float", "timestamp")}


class BadYaml(ValueError):
    """Why a text can't be read, as a part of a sentence: 'in line 3, column 1: …'."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML without dates, and without numbers that take minutes to be made."""

    yaml_implicit_resolvers = {
        first: [(tag, expression) for tag, expression in rules if tag != f"{_TAG}timestamp"]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_yaml(text: str | bytes, *, as_typed: Iterable[Path] = ()) -> Any:
    """The value that `text` holds; None for an empty one.

    Below the paths of keys in `as_typed` plain numbers, booleans and dates are text as typed;
    the path () is the whole document. Raises BadYaml.
    """
    if len(text) > LARGEST:
        raise BadYaml(f"is larger than {LARGEST >> 20} MiB")
    try:
        _check_bounds(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            for path in as_typed:
                _keep_as_typed(_below(node, path))
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise BadYaml(_explain(error)) from None
    except BadYaml:
        raise
    # What PyYAML's makers of values raise for explicit tags: `!!int x`, `!!bool x`, `!!timestamp x`
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadYaml(f"holds a value that its type can't have: {error}") from None


def _check_bounds(text: str | bytes) -> None:
    """Raise BadYaml for what would grow: from the events, before anything is made of them."""
    counts = [0]  # of the values in each collection that is open
    anchors: list[str | None] = []
    known: dict[str, int] = {}
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            counts.append(1)
            anchors.append(event.anchor)
            if len(anchors) > DEEPEST:
                raise BadYaml(f"{_place(event.start_mark)}is nested deeper than {DEEPEST} levels")
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            count, anchor = counts.pop(), anchors.pop()
        elif isinstance(event, yaml.AliasEvent):
            anchor = None
            if event.anchor in anchors:
                raise BadYaml(f"{_place(event.start_mark)}*{event.anchor} holds itself")
            count = known.get(str(event.anchor), 1)
        elif isinstance(event, yaml.ScalarEvent):
            count, anchor = 1 + len(event.value) // 1000, event.anchor
        else:
            continue
        if anchor:
            known[anchor] = count
        counts[-1] += count
        if counts[-1] > MOST_VALUES:
            raise BadYaml(
                f"{_place(event.start_mark)}holds more than {MOST_VALUES} values, "
                "with those that aliases repeat"
            )


def _below(node: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(node, yaml.MappingNode):
            return None
        values = [value for name, value in node.value if name.value == key]
        node = values[-1] if values else None
    return node


def _keep_as_typed(node: Any) -> None:
    waiting, seen = [node], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, yaml.ScalarNode):
            if one.tag in _RETYPED:
                one.tag = _STRING
        elif isinstance(one, yaml.MappingNode):
            waiting += [part for pair in one.value for part in pair]
        elif isinstance(one, yaml.SequenceNode):
            waiting += one.value


def _number(make: Any) -> Any:
    def construct(loader: Any, node: Any) -> Any:
        if len(node.value) > _LONGEST_NUMBER:
            raise yaml.constructor.ConstructorError(
                None, None, "a number of so many digits; quote it to make it text", node.start_mark
            )
        return make(loader, node)

    return construct


_Loader.add_constructor(f"{_TAG}int", _number(yaml.SafeLoader.construct_yaml_int))
_Loader.add_constructor(f"{_TAG}float", _number(yaml.SafeLoader.construct_yaml_float))


def _explain(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error)
    return f"{_place(getattr(error, 'problem_mark', None))}{' '.join(problem.split())}"


def _place(mark: Any) -> str:
    return f"in line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
