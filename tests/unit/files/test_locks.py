"""Locks: exclusive, patient when asked to be, and clear about who holds them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vr.errors import Busy, Unwanted, VelociraptorError
from vr.files.locks import Lock, holder

HOLD = """
import sys, pathlib
from vr.files.locks import Lock
with Lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path):  # type: ignore[no-untyped-def]
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout and process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_held_lock_names_the_holder(other: subprocess.Popen[bytes], tmp_path: Path) -> None:
    with pytest.raises(Busy, match=f"process {other.pid}"), Lock(tmp_path / "lock"):
        pass
    assert holder(tmp_path / "lock") == other.pid


def test_waiting_gets_the_lock_when_the_holder_is_killed(
    other: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    other.kill()
    with Lock(tmp_path / "lock", wait=10):
        assert holder(tmp_path / "lock") == os.getpid()


def test_waiting_ends_when_it_is_not_wanted_any_more(
    other: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    def check() -> None:
        raise Unwanted("Cancelled.")

    with pytest.raises(Unwanted), Lock(tmp_path / "lock", wait=3600, check=check):
        pass
    assert holder(tmp_path / "lock") == other.pid


def test_a_lock_is_free_after_its_block(tmp_path: Path) -> None:
    for _ in range(2):
        with Lock(tmp_path / "lock"):
            pass
    assert holder(tmp_path / "lock") is None


def test_folders_can_be_locked(tmp_path: Path) -> None:
    with Lock(tmp_path), pytest.raises(Busy), Lock(tmp_path):
        pass


def test_a_missing_file_is_an_error_when_it_must_exist(tmp_path: Path) -> None:
    missing = tmp_path / "proc.yaml"
    with pytest.raises(VelociraptorError, match=r"proc\.yaml does not exist"):
        Lock(missing, create=False).__enter__()
    assert not missing.exists()


def test_a_lock_on_a_replaced_file_is_not_mistaken_for_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with Lock(path):
        path.unlink()
        with Lock(path):
            assert path.exists()
