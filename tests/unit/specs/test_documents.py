"""YAML documents as structs: what is told of a file that is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from vr.errors import InvalidInput, VelociraptorError
from vr.specs.documents import load_mapping, parse_mapping, to_struct


class Thing(msgspec.Struct):
    name: str
    size: int = 3
    words: list[str] = []
    note: str | None = None


def problems(mapping: dict[str, Any], **more: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        to_struct(Thing, mapping, "thing.yaml", **more)
    assert "thing.yaml" in str(caught.value)
    return caught.value.problems


def test_a_file_that_can_not_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(VelociraptorError, match="gone: can't be read: No such file or directory"):
        load_mapping(tmp_path / "gone")
    (tmp_path / "there").write_text("env: {A: 01}\nb: 010\n1: x")
    assert load_mapping(tmp_path / "there") == {"env": {"A": "01"}, "b": 8, "1": "x"}


@pytest.mark.parametrize(
    ("text", "found"), [("", "empty"), ("- a", "a list"), ("a", "a str"), ("1", "a int")]
)
def test_what_is_no_mapping_is_told_by_what_it_is(text: str, found: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_mapping(text, "x.yaml")
    assert caught.value.problems == [f"must be a mapping of keys to values, but is {found}"]
    assert caught.value.hint == "Write one `key: value` per line."
    with pytest.raises(InvalidInput, match="is not valid YAML: in line 1, column"):
        parse_mapping("a: b: c", "x.yaml")


def test_keys_of_the_struct_are_taken_and_null_is_absent() -> None:
    found = to_struct(Thing, {"name": "a", "size": None, "other": 1}, "x")
    assert found == Thing("a", 3, [])
    assert to_struct(Thing, {"name": "a", "size": 5}, "x").size == 5


def test_every_problem_is_told_in_words() -> None:
    wrong = {"size": "x", "words": ["a", 1], "note": 1.5}
    assert problems(wrong, extra=["more"]) == [
        "name: is missing",
        "size: expected int, got str",
        "words: expected str, got int at [1]",
        "note: must be a string, but YAML reads 1.5 as a number; put it in quotes",
        "more",
    ]
    assert problems({"name": ["a"]}) == ["name: expected str, got array"]
    assert problems({"name": "a"}, extra=["only this"]) == ["only this"]
