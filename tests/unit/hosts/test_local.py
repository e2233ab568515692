"""This machine as a host."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from vr.errors import Busy, VelociraptorError
from vr.hosts.local import LocalConnection
from vr.hosts.supervisor import Supervisor
from vr.paths import Root


@pytest.fixture
def host(tmp_path: Path) -> LocalConnection:
    supervisor = Supervisor("here", f"unix://{tmp_path}/none.sock")
    return LocalConnection("here", Root(tmp_path / "apps"), supervisor, Path("/opt/vr/bin"))


def test_a_command_runs_to_its_end_whatever_its_status(host: LocalConnection) -> None:
    done = host.run(["sh", "-c", "cat; echo oops >&2; exit 3"], input=b"in\n")
    assert (done.status, done.stdout, done.stderr) == (3, b"in\n", b"oops\n")
    assert done.output == "in\noops"
    assert host.run(["cat"]).stdout == b""


def test_a_command_sees_none_of_our_secrets(
    host: LocalConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VR_SECRET_KEY", "rawr")
    seen = host.run(["env"]).stdout.decode()
    assert "rawr" not in seen
    assert f"VR_ROOT={host.root.path}" in seen


def test_a_command_that_cannot_be_run_or_takes_too_long_is_told(host: LocalConnection) -> None:
    with pytest.raises(VelociraptorError, match="/no/such can't be run on here"):
        host.run(["/no/such"])
    with pytest.raises(VelociraptorError, match="sleep on here was not done after 0 s"):
        host.run(["sleep", "1000"], timeout=0.1)


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_is_written_whole_and_with_its_mode(
    host: LocalConnection, tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "file"
    host.write(path, "old", 0o600)
    host.write(path, "new: ü", mode)
    assert host.read(path) == "new: ü".encode()
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert host.tail(path, 2) == "ü".encode()
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_what_lies_beside_until_it_is_complete_is_hidden(
    host: LocalConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(p.name for p in tmp_path.iterdir()))
    host.write(tmp_path / "shop.conf", "x", 0o644)
    assert len(seen) == 1 and seen[0].startswith(".")


def test_what_is_not_there_is_none_or_empty(host: LocalConnection, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "file"
    assert host.read(missing) is None
    assert host.read(Path(__file__) / "below") is None
    assert host.tail(missing, 10) == b""
    assert not host.exists(missing)
    host.remove(missing)
    host.make_folder(missing, 0o700)
    host.make_folder(missing, 0o700)
    assert stat.S_IMODE(missing.stat().st_mode) == 0o700
    host.remove(tmp_path / "missing")
    assert not host.exists(tmp_path / "missing")


def test_a_lock_is_held_by_one_and_ends_with_its_block(
    host: LocalConnection, tmp_path: Path
) -> None:
    path = tmp_path / "folder" / ".shop.lock"
    with host.lock(path):
        with pytest.raises(Busy), host.lock(path, wait=0):
            pass
        waited = threading.Event()

        def wait() -> None:
            with host.lock(path, wait=20):
                waited.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not waited.is_set()
    waiting.join(20)
    assert waited.is_set()


def test_a_lock_goes_with_a_killed_holder(host: LocalConnection, tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    holder = (
        "import fcntl, os, signal, sys\n"
        "file = open(sys.argv[1], 'a'); fcntl.flock(file, fcntl.LOCK_EX)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert host.run([sys.executable, "-c", holder, str(path)]).status < 0
    with host.lock(path, wait=0):
        pass


def test_tools_are_those_of_this_installation(host: LocalConnection) -> None:
    assert host.tool("vrun") == "/opt/vr/bin/vrun"
