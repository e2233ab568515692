"""The secrets of an installation: made once, kept in files that only root reads."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from vr.up.config import Config

NAMES = ("secret-key", "admin-password", "cli-token", "nats-token")


def ensure(config: Config) -> None:
    """Make the secrets that are missing; an existing one is never changed."""
    config.secrets.mkdir(parents=True, exist_ok=True)
    config.secrets.chmod(0o700)
    for name in NAMES:
        _create_once(config.secrets / name, secrets.token_urlsafe(24))


def read(config: Config, name: str) -> str:
    return (config.secrets / name).read_text().strip()


def _create_once(path: Path, value: str) -> None:
    """Complete or not at all, also when killed between the two: write beside, then link."""
    if path.exists():
        return
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
