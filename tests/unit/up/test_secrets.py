"""The secrets of an installation: made once, and the key never a second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from vr.errors import VelociraptorError
from vr.up import render, secrets
from vr.up.config import Config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.from_env({"VR_HOME": str(tmp_path)})


def test_secrets_are_made_for_root_alone(config: Config) -> None:
    secrets.ensure(config)
    assert config.secrets.stat().st_mode & 0o777 == 0o700
    for path in config.secrets.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert len({secrets.read(config, name) for name in secrets.NAMES}) == len(secrets.NAMES)
    assert config.former_keys_file.read_text() == ""


def test_what_is_there_stays(config: Config) -> None:
    secrets.ensure(config)
    config.former_keys_file.write_text("former\n")
    before = {path: path.read_text() for path in config.secrets.iterdir()}
    secrets.ensure(config)
    assert {path: path.read_text() for path in config.secrets.iterdir()} == before


def test_a_run_that_was_killed_after_any_secret_is_completed(config: Config) -> None:
    secrets.ensure(config)
    key = secrets.read(config, "secret-key")
    for name in reversed(secrets.NAMES[1:]):
        (config.secrets / name).unlink()
        secrets.ensure(config)
    assert secrets.read(config, "secret-key") == key


@pytest.mark.parametrize("sign", ["velociraptor.sqlite3", "secrets/admin-password"])
def test_a_lost_key_of_an_existing_installation_is_refused_not_replaced(
    config: Config, sign: str
) -> None:
    secrets.ensure(config)
    for path in config.secrets.iterdir():
        path.unlink()
    (config.home / sign).write_text("is here")
    with pytest.raises(VelociraptorError, match="secret-key is missing") as caught:
        secrets.ensure(config)
    assert "Nothing was changed" in caught.value.message
    assert "backup" in caught.value.hint
    assert not config.secret_key_file.exists()


def test_the_server_is_told_the_files_of_present_and_former_keys(config: Config) -> None:
    environment = render.server_environment(config)
    assert environment["VR_SECRET_KEY_FILE"] == str(config.secret_key_file)
    assert environment["VR_SECRET_KEY_FALLBACKS_FILE"] == str(config.former_keys_file)
