"""What a host gets: our rooms for hosts, and what they import."""

from __future__ import annotations

import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vr.errors import VelociraptorError
from vr.hosts.preparing import software

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def files() -> list[software.Member]:
    return software.members(HERE, platform.machine(), Path("/no/wheels"))


def test_a_host_gets_what_runs_procs_and_nothing_of_the_server() -> None:
    names = {name for name, _ in files()}
    assert {"vr/runner/main.py", "vr/agent/publisher.py", "vr/hosts/remote/service.py"} <= names
    assert any(name.startswith("supervisor/") for name in names)
    assert not [name for name in names if name.startswith(("vr/server/", "vr/cli/", "../"))]


def test_any_change_of_content_is_another_release(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("1")
    before = software.release_name([("a.py", path)])
    assert software.release_name([("a.py", path)]) == before
    path.write_text("2")
    assert software.release_name([("a.py", path)]) != before


def test_it_imports_alone_what_hosts_run(tmp_path: Path) -> None:
    (tmp_path / "files.tar.gz").write_bytes(software.archive(files()))
    subprocess.run(["tar", "-xzf", "files.tar.gz"], cwd=tmp_path, check=True)
    rooms = "vr.hosts.remote.service, vr.agent.publisher, vr.runner.setup"
    code = f"import vr, {rooms}; print(vr.__file__)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))


def test_wheels_for_another_python_are_taken_from_where_they_were_kept(tmp_path: Path) -> None:
    compiled = {"isal", "msgspec", "PyYAML"}
    from importlib.metadata import version

    for name in compiled:
        folder = tmp_path / "9.99-x86_64" / f"{name}-{version(name)}"
        folder.mkdir(parents=True)
        (folder / f"{name}.so").touch()
    found = {name for name, _ in software.members("9.99", "x86_64", tmp_path)}
    assert {f"{name}.so" for name in compiled} <= found


def test_a_wheel_with_a_file_outside_of_itself_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "bad.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("../evil.py", "")
    with pytest.raises(VelociraptorError, match="outside of itself"):
        software._unpack(wheel, tmp_path / "into")
