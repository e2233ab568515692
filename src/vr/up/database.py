"""The server's database, as `vr up` brings it to the version that is installed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from vr.errors import VelociraptorError
from vr.text.plurals import counted
from vr.up import render
from vr.up.config import Config
from vr.up.waiting import Say

# Older ones of these go.
_BACKUPS = 3


@dataclass(frozen=True)
class Schema:
    """Migrations that the database lacks, and those that it has and the code doesn't know."""

    pending: tuple[str, ...]
    unknown: tuple[str, ...]


def check(config: Config, say: Say) -> Schema:
    """Try whether the installed code starts, and whether it can bring the database to its
    version. Changes nothing.

    Raises VelociraptorError if the database is newer than the code, the code doesn't start, or its
    migrations fail: with SQLite on a copy, with PostgreSQL in a transaction that is taken back.
    """
    schema = _schema(config)
    if schema.unknown:
        raise newer(schema.unknown)
    _manage(config, "check", failed="The installed code does not start.")
    path = _sqlite_file(config)
    if schema.pending and path:
        say(f"trying {counted(len(schema.pending), 'migration')} on a copy of the database")
        _rehearse(config, path)
    elif schema.pending:
        say(f"trying {counted(len(schema.pending), 'migration')}, to take back what they do")
        why = _manage(config, "rehearse", failed="Its migrations fail.").strip()
        if why:
            say(f"whether they succeed is not known: {why}")
    return schema


def is_current(config: Config) -> bool:
    """Whether the database is of the installed version; not, too, if it can't be read."""
    try:
        return _schema(config) == Schema((), ())
    except VelociraptorError:
        return False


def keep_a_copy(config: Config) -> Path | None:
    """Copy the database aside before it is changed, if it is SQLite; gives the copy."""
    path = _sqlite_file(config)
    if path is None:
        return None
    kept = config.backups / f"{time.strftime('%Y%m%d-%H%M%S')}.sqlite3"
    _copy(path, kept)
    for older in sorted(config.backups.glob("*.sqlite3"))[:-_BACKUPS]:
        older.unlink()
    return kept


def prepare(config: Config) -> None:
    """Bring the database to this version and fill in what a new installation starts with."""
    _manage(config, "bootstrap", failed="Preparing the database failed.")


def newer(unknown: tuple[str, ...]) -> VelociraptorError:
    """The refusal of a database that later code has changed."""
    return VelociraptorError(
        "The database is newer than the installed code: it has "
        f"{counted(len(unknown), 'migration')} that this code does not know "
        f"({', '.join(unknown)}). Nothing was changed.",
        hint="Install the version that the database is of, or a later one; or put back a copy "
        "of the database from before (VR_HOME/backups has some, if it is SQLite).",
    )


def _schema(config: Config) -> Schema:
    said = json.loads(_manage(config, "schema", failed="The database can't be read."))
    return Schema(tuple(said["pending"]), tuple(said["unknown"]))


def _rehearse(config: Config, path: Path) -> None:
    copy = config.backups / ".rehearsal"
    try:
        _copy(path, copy)
        _manage(
            config,
            *("migrate", "--no-input", "--verbosity", "0", "--skip-checks"),
            failed="Its migrations fail on a copy of the database.",
            VR_DATABASE_URL=f"sqlite:///{copy}",
        )
    finally:
        for left in config.backups.glob(".rehearsal*"):
            left.unlink()


def _copy(path: Path, to: Path) -> None:
    """A whole copy at one moment, whatever writes meanwhile, for root's eyes only."""
    to.parent.mkdir(mode=0o700, exist_ok=True)
    part = to.with_name(f".{to.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise VelociraptorError(
            f"The database {path} could not be copied: {error}.",
            hint="Copies go to VR_HOME/backups: it needs room for them.",
        ) from None
    part.replace(to)


def _sqlite_file(config: Config) -> Path | None:
    """The database's file, if it is one and is there."""
    if not config.database["ENGINE"].endswith("sqlite3"):
        return None
    path = Path(config.database["NAME"])
    return path if path.exists() else None


def _manage(config: Config, *command: str, failed: str, **env: str) -> str:
    """Run a management command of the installed code; gives its output."""
    done = subprocess.run(
        [sys.executable, "-m", "vr.server.manage", *command],
        env={**os.environ, **render.server_environment(config), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        umask=0o077,
        check=False,
    )
    if done.returncode:
        raise VelociraptorError(
            failed,
            details=done.stderr or done.stdout,
            hint=f"The database is {config.sqlite_file}." if _sqlite_file(config) else "",
        )
    return done.stdout
