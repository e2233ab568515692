"""Attempts to get out of a container, as the app and as its root: none works, nobody notices.

The attempts themselves are tests/support/attempts.py, which runs inside.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tarfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import support
from support.build_machine import Machine
from support.ports import free_port
from vr.container.launch import PIPE, host_mounts, start
from vr.container.spec import Container
from vr.files.checksums import file_md5
from vr.files.unpack import unpack
from vr.paths import Root

SECRET = "swordfish-9f3b71"
ATTEMPTS = (Path(support.__path__[0]) / "attempts.py").read_text()
SERVER = """\
import os, socket
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("ready", flush=True)
while True:
    peer, _ = server.accept()
    peer.sendall(b"well")
    peer.close()
"""


@pytest.fixture
def neighbour(proc: Callable[..., Any], build: Callable[..., Any]) -> Iterator[Any]:
    """A proc with secrets, which must go on answering."""
    port = free_port()
    keys = {"env": {"PASSWORD": SECRET}, "settings": {"password": SECRET}}
    one = proc(**build({"s.py": SERVER}), cmd="exec python3 s.py", port=port, **keys).setup()
    running = one.launch()
    running.shows("ready")
    yield one
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        assert connection.recv(4) == b"well", "the neighbour still answers"
    assert running.process.poll() is None


def facts(neighbour: Any) -> list[str]:
    disk = next(path.name for path in Path("/sys/block").iterdir())
    return [
        f"pid={os.getpid()}",
        f"terces={SECRET[::-1]}",
        f"neighbour={neighbour.name}",
        f"neighbour_folder={neighbour.paths.folder}",
        f"root_file={neighbour.file}",
        f"disk={disk}",
    ]


def test_no_attempt_of_an_app_works(
    proc: Callable[..., Any], neighbour: Any, tmp_path: Path
) -> None:
    tarball = tmp_path / "evil.tar"
    with tarfile.open(tarball, "w") as archive:
        shell = Path("/bin/bash").read_bytes()
        for name, mode, data in (
            ("attempts.py", 0o644, ATTEMPTS.encode()),
            ("suid", 0o4755, shell),
        ):
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = mode, len(data)
            archive.addfile(entry, BytesIO(data))
    keys = {"build_url": str(tarball), "build_md5": file_md5(tarball)}
    command = "python3 attempts.py " + " ".join(facts(neighbour))
    one = proc(**keys, cmd=command, nofile=512).setup()
    running = one.launch()
    assert running.process.wait(60) == 0, running.output
    outcomes = json.loads(running.output.splitlines()[-1])
    assert len(outcomes) >= 50
    assert {name: got for name, got in outcomes.items() if got != "refused"} == {}


def test_no_attempt_of_a_build_works(
    root: Root, image: dict[str, str], neighbour: Any, tmp_path: Path
) -> None:
    machine = Machine(root, Path(image["image_url"]), tmp_path)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/attempts.py").write_text(ATTEMPTS)
    pack = machine.buildpack(f"python3 $(dirname $0)/../attempts.py {' '.join(facts(neighbour))}")
    machine.build(machine.app({"Procfile": "web: true\n"}), buildpack_url=pack)
    said = next(line for line in machine.log.decode().splitlines() if line.startswith("{"))
    outcomes = json.loads(said)
    assert len(outcomes) >= 50
    got = {name: got for name, got in outcomes.items() if got != "refused"}
    # A build may open as many files as its host's root may.
    assert got.keys() <= {"more descriptors than allowed"}, got


def test_no_attempt_of_a_containers_root_works(
    root: Root, image: dict[str, str], neighbour: Any, tmp_path: Path
) -> None:
    folder = root.path / "provision"
    folder.mkdir()
    root.path.chmod(0o755)  # this container's root is an ordinary user of the host
    unpack(Path(image["image_url"]), folder / "system", kind="image")
    container = Container(
        name=f"vr-abuse-{os.getpid()}-x",
        lowers=(),
        upper=folder / "system",
        uid=0,
        gid=0,
        mounts=host_mounts(),
        role="provision",
    )
    try:
        argv = ["python3", "-c", ATTEMPTS, *facts(neighbour)]
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        with start(container, folder, argv, env=env, stdout=PIPE) as running:
            assert running.stdout
            said = running.stdout.read().decode()
            assert running.wait(60) == 0
    finally:
        shutil.rmtree(folder)
    outcomes = json.loads(said.splitlines()[-1])
    assert len(outcomes) >= 40
    assert {name: got for name, got in outcomes.items() if got != "refused"} == {}
