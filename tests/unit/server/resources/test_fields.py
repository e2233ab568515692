"""Fields understand what JSON brings, and say what they can't."""

from __future__ import annotations

import re
from typing import Any

import pytest

from vr.server.resources.fields import Field, Flag, Integer, Mapping, Number, Text, Volumes


@pytest.mark.parametrize(
    ("field", "value", "loaded"),
    [
        (Text(name="x"), "a", "a"),
        (Text(name="x", nullable=True), None, ""),
        (Integer(name="x"), 7, 7),
        (Integer(name="x"), "-7", -7),
        (Flag(name="x"), False, False),
        (Mapping(name="x"), {"b": 1, "a": [True]}, "b: 1\na:\n- true\n"),
        (Mapping(name="x"), "{}\n", ""),
        (Mapping(name="x"), {}, ""),
        (Mapping(name="x"), "# kept\na: 1", "# kept\na: 1"),
        (Volumes(name="volumes"), [["/a", "/b"]], "- - /a\n  - /b\n"),
        (Volumes(name="volumes"), None, ""),
        (Number(name="x"), "1.5", 1.5),
        (Number(name="x"), 2, 2.0),
        (Number(name="x"), "", None),
        (Number(name="x", whole=True), "4096", 4096),
    ],
)
def test_values_that_are_understood(field: Field, value: Any, loaded: Any) -> None:
    assert field.load(value) == loaded


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        (Text(name="x"), 7, "is a number (7), but text is expected"),
        (Text(name="x"), "a\0", "NUL"),
        (Integer(name="x"), True, "is a boolean (True), but a whole number is expected"),
        (Integer(name="x"), 1.5, "whole number"),
        (Integer(name="x"), None, "is null"),
        (Integer(name="x"), 2**31, "too large"),
        (Flag(name="x"), "yes", "true or false"),
        (Mapping(name="x"), [1], "is a list"),
        (Number(name="x"), "few", "is text ('few'), but a number is expected"),
        (Number(name="x"), True, "is a boolean (True), but a number is expected"),
        (Number(name="x"), float("inf"), "no number that can be kept"),
        (Number(name="x", whole=True), 1.5, "is 1.5, but a whole number is expected"),
        (Volumes(name="volumes"), 7, "list of pairs"),
    ],
)
def test_values_that_are_not(field: Field, value: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        field.load(value)
