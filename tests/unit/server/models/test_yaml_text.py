"""YAML that users write: what is let through, what is refused and why."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from vr.server.models.yaml_text import (
    parse_env,
    parse_mapping,
    parse_volumes,
    validate_config,
    validate_env,
    validate_volumes,
)


def test_empty_text_is_an_empty_mapping() -> None:
    assert parse_mapping("") == parse_mapping(None) == parse_mapping("# only a comment\n") == {}


@pytest.mark.parametrize(("text", "kind"), [("- a\n- b", "list"), ("just words", "str")])
def test_yaml_that_is_not_a_mapping_says_what_is_expected(text: str, kind: str) -> None:
    with pytest.raises(ValidationError, match=f"is a {kind}.*mapping"):
        parse_mapping(text)


def test_broken_yaml_names_line_and_column() -> None:
    with pytest.raises(ValidationError, match="line 2, column"):
        parse_mapping("a: 1\nb: x: y\n")


def test_values_that_xml_rpc_cannot_carry_are_all_named() -> None:
    with pytest.raises(ValidationError) as caught:
        parse_mapping("big: 4294967296\ndeep: {day: !!timestamp 2024-01-01}\n1: x\n")
    text = " ".join(caught.value.messages)
    assert "int exceeds XML-RPC limits" in text
    assert "deep.day" in text
    assert "key 1" in text


def test_volumes_are_pairs_of_absolute_paths() -> None:
    assert parse_volumes("- [/var/data, /data]") == [["/var/data", "/data"]]
    assert parse_volumes("- - /var/data\n  - /data\n") == [["/var/data", "/data"]]
    for bad in ("a: b", "- /only/one", "- [1, /data]", "- [/a, /b, /c]"):
        with pytest.raises(ValidationError, match="pairs of absolute paths"):
            parse_volumes(bad)


def test_what_was_stored_before_a_rule_can_still_be_read() -> None:
    assert parse_volumes("- [/srv/data, /proc]") == [["/srv/data", "/proc"]]
    assert parse_mapping("MY-VAR: [1]") == {"MY-VAR": [1]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- [/srv/data, /proc]", "is the kernel's"),
        ("- [/srv/../etc, /data]", "'/srv/../etc' is no absolute path"),
        ("- [relative, /data]", "'relative' is no absolute path"),
    ],
)
def test_volumes_that_no_host_would_mount_are_refused(text: str, expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        validate_volumes(text)


def test_every_variable_that_cannot_be_set_is_named_once() -> None:
    with pytest.raises(ValidationError) as caught:
        validate_env("MY-VAR: 1\nLIST: [1, 2]\nMAP: {day: !!timestamp 2024-01-01}\n1: x\nFINE: x\n")
    assert len(caught.value.messages) == 4


def test_config_of_a_pilot_that_the_host_would_refuse_is_refused() -> None:
    validate_config("pilot: true\ngreeting: hello")
    with pytest.raises(ValidationError, match="pilot: is a number"):
        validate_config("pilot: 5")


def test_an_environment_stays_as_it_was_typed() -> None:
    assert parse_env("A: 01234\nB: yes\nC: 1.10\nD: null\n") == {
        "A": "01234",
        "B": "yes",
        "C": "1.10",
        "D": None,
    }
