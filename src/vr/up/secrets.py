"""The secrets of an installation: made once, kept in files that only root reads."""

from __future__ import annotations

import secrets
from pathlib import Path

from vr.errors import VelociraptorError
from vr.files.atomic import write_atomic
from vr.up.config import Config

# The key is made first: where one of the others is, it was there.
NAMES = (
    "secret-key",
    "admin-password",
    "cli-token",
    "nats-token",
    "redis-password",
    "hosts-redis-password",
)


def ensure(config: Config) -> None:
    """Make the secrets that are missing; an existing one is never changed.

    Raises VelociraptorError if the key of an existing installation is gone: what it encrypted
    could not be read with another one.
    """
    config.secrets.mkdir(parents=True, exist_ok=True)
    config.secrets.chmod(0o700)
    _refuse_a_lost_key(config)
    for name in NAMES:
        _create_once(config.secrets / name, secrets.token_urlsafe(24) + "\n")
    _create_once(config.former_keys_file, "")


def read(config: Config, name: str) -> str:
    return (config.secrets / name).read_text().strip()


def _refuse_a_lost_key(config: Config) -> None:
    key, *others = (config.secrets / name for name in NAMES)
    if key.exists():
        return
    signs = [path for path in (config.sqlite_file, *others) if path.exists()]
    if signs:
        raise VelociraptorError(
            f"The key {key} is missing, but {signs[0]} is there: the config that is stored was "
            "encrypted with that key, and a new one could not read it. Nothing was changed.",
            hint=f"Put the key back from a backup. To begin anew, move {config.home} away.",
        )


def _create_once(path: Path, text: str) -> None:
    """Complete or not at all, also when killed between the two: written beside, then renamed.

    Nobody else makes it between look and rename, as `vr up` holds the lock of the home.
    """
    if not path.exists():
        write_atomic(path, text, mode=0o600)
