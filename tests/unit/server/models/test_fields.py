"""How text is kept that the database is not to read."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from vr.server.models.fields import EncryptedTextField, Undecryptable
from vr.server.models.yaml_text import parse_mapping


def test_config_reaches_the_database_only_encrypted_and_comes_back() -> None:
    field = EncryptedTextField()
    stored = field.get_prep_value("PASSWORD: hunter2")
    assert "hunter2" not in stored
    assert field.from_db_value(stored, None, None) == "PASSWORD: hunter2"


def test_config_saved_with_another_key_says_so(settings: object) -> None:
    field = EncryptedTextField()
    stored = field.get_prep_value("A: b")
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    read = field.from_db_value(stored, None, None)
    assert isinstance(read, Undecryptable)
    assert "VR_SECRET_KEY" in read
    assert field.get_prep_value(read) == stored, "a save leaves it as it is"
    with pytest.raises(ValidationError, match="VR_SECRET_KEY"):
        parse_mapping(read)
