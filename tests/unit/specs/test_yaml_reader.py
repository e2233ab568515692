"""YAML of others: what it may cost, and what stays as it was typed."""

from __future__ import annotations

from typing import Any

import pytest

from vr.specs.yaml_reader import LARGEST, BadYaml, read_yaml


@pytest.mark.parametrize(
    "typed", ["01234", "12:30:45", "1.10", "yes", "True", "2024-01-31", "1_000", "0x10", ".5"]
)
def test_what_is_named_stays_as_it_was_typed(typed: str) -> None:
    text = f"env:\n  A: {typed}\n  {typed}: b\n  N: null\nother: [1, yes]\n"
    assert read_yaml(text, as_typed=[("env",), ("not", "there")]) == {
        "env": {"A": typed, typed: "b", "N": None},
        "other": [1, True],
    }


def test_anchors_and_merges_are_read() -> None:
    text = "base: &base {a: 01}\nenv:\n  <<: *base\n  b: 02\n"
    assert read_yaml(text, as_typed=[("env",)])["env"] == {"a": "01", "b": "02"}


def test_dates_are_text() -> None:
    assert read_yaml("a: 2024-01-31\nb: 2024-13-45") == {"a": "2024-01-31", "b": "2024-13-45"}


def _doubling(levels: int) -> str:
    rows = ["a0: &a0 [x, x]"]
    rows += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, levels)]
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_doubling(30), "more than 100000 values, with those that aliases repeat"),
        ("a: &a [*a]", r"\\*a holds itself"),
        ("[" * 200_000, "nested deeper than 50 levels"),
        ("a: " + "x" * LARGEST, "is larger than 1 MiB"),
        ("a: 1" + ":10" * 200_000, "so many digits; quote it"),
        ("a: " + "9" * 200_000, "so many digits; quote it"),
        ("a: !!int x", "a value that its type can't have"),
        ("a: !!bool x", "a value that its type can't have"),
        ("a: !!timestamp x", "a value that its type can't have"),
        ("a: !!python/object:os.system x", "in line 1, column 4: could not determine"),
        ("a: [", "in line 2, column 1|in line 1, column"),
        (b"a: \xff\xfe", "invalid|utf|code"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_a_sentence_and_takes_no_time(text: Any, expected: str) -> None:
    with pytest.raises(BadYaml, match=expected.replace("\\\\", "\\")):
        read_yaml(text)


def test_the_text_of_a_large_value_counts_wherever_it_is_repeated() -> None:
    text = "a: &a " + "x" * 500_000 + "\nb: [" + "*a, " * 1000 + "]"
    with pytest.raises(BadYaml, match="aliases repeat"):
        read_yaml(text)


def test_bounds_are_reached_and_not_passed() -> None:
    assert read_yaml("x" * LARGEST) == "x" * LARGEST
    with pytest.raises(BadYaml, match=r"^is larger than 1 MiB$"):
        read_yaml("x" * (LARGEST + 1))
    assert read_yaml("[" * 50 + "]" * 50)
    with pytest.raises(BadYaml, match=r"^in line 1, column 51: is nested deeper than 50 levels$"):
        read_yaml("[" * 51 + "]" * 51)
    assert read_yaml("9" * 64) == int("9" * 64)
    with pytest.raises(
        BadYaml, match=r"^in line 2, column 3: a number of so many digits; quote it"
    ):
        read_yaml(f"- 1\n- {'9' * 65}")
    # The list itself is one of them, and so is each kilobyte of a text.
    assert len(read_yaml("[" + "1," * 99_999 + "]")) == 99_999
    with pytest.raises(BadYaml, match="holds more than 100000 values"):
        read_yaml("[" + "1," * 100_000 + "]")
    text = "&a " + "x" * 999
    assert len(read_yaml(f"[{text}" + ", *a" * 49_999 + "]")) == 50_000
    with pytest.raises(BadYaml, match="holds more than 100000 values"):
        read_yaml(f"[{text}x" + ", *a" * 49_999 + "]")


def test_the_whole_document_may_stay_as_typed() -> None:
    assert read_yaml("[01, {02: yes}]", as_typed=[()]) == ["01", {"02": "yes"}]
    assert read_yaml("a: {b: [03]}\nc: 03", as_typed=[("a", "b")]) == {"a": {"b": ["03"]}, "c": 3}
    assert read_yaml("a: 01\na: 02", as_typed=[("a",)]) == {"a": "02"}
    assert read_yaml("1.5", as_typed=[()]) == "1.5"


def test_nothing_is_none() -> None:
    assert read_yaml("") is None and read_yaml("# x", as_typed=[("env",)]) is None


def test_what_is_wrong_is_told_with_its_place() -> None:
    with pytest.raises(BadYaml, match=r"^in line 2, column 7: \*b holds itself$"):
        read_yaml("a:\n  &b [*b]")
