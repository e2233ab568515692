"""YAML that users write: what is let through, what is refused and why, and how it is kept."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from vr.server.models.fields import EncryptedTextField, parse_mapping, parse_volumes


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
        parse_mapping("big: 4294967296\ndeep: {day: 2024-01-01}\n1: x\n")
    text = " ".join(caught.value.messages)
    assert "int exceeds XML-RPC limits" in text
    assert "deep.day" in text
    assert "key 1" in text


def test_volumes_are_pairs_of_absolute_paths() -> None:
    assert parse_volumes("- [/var/data, /data]") == [["/var/data", "/data"]]
    assert parse_volumes("- - /var/data\n  - /data\n") == [["/var/data", "/data"]]
    for bad in ("a: b", "- /only/one", "- [relative, /data]", "- [/a, /b, /c]"):
        with pytest.raises(ValidationError, match="pairs of absolute paths"):
            parse_volumes(bad)


def test_config_reaches_the_database_only_encrypted_and_comes_back() -> None:
    field = EncryptedTextField()
    stored = field.get_prep_value("PASSWORD: hunter2")
    assert "hunter2" not in stored
    assert field.from_db_value(stored, None, None) == "PASSWORD: hunter2"


def test_config_saved_with_another_key_says_so(settings: object) -> None:
    field = EncryptedTextField()
    stored = field.get_prep_value("A: b")
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    with pytest.raises(ValidationError, match="VR_SECRET_KEY"):
        field.from_db_value(stored, None, None)
