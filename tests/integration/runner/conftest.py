"""Procs in real containers: one VR_ROOT for all tests, so that the image is unpacked once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import vr.runner
from support.images import test_image
from support.waiting import until
from vr.container import cgroups
from vr.files.checksums import file_md5
from vr.files.pack import pack
from vr.paths import ProcPaths, Root
from vr.specs.proc import load

# Commands run the very code that the tests import, wherever that lies.
_SOURCE = Path(vr.runner.__file__).parents[2]
_CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(_SOURCE)}


@dataclass
class Running:
    """A command in the background, with what it has printed so far in a file."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def shows(self, text: str) -> None:
        def seen() -> bool:
            return text in self.output or self.process.poll() is not None

        until(seen, f"{text!r} is printed")
        assert text in self.output

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@dataclass
class Proc:
    """A proc.yaml in a folder of its own, and vrun for it."""

    file: Path
    root: Root
    program: str = "vrun"
    started: list[Running] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)
    """More of vrun's own environment."""

    @property
    def name(self) -> str:
        return str(load(self.file).name)

    @property
    def paths(self) -> ProcPaths:
        return self.root.proc(self.name)

    def change(self, **keys: Any) -> None:
        values = yaml.safe_load(self.file.read_text()) | keys
        self.file.write_text(yaml.safe_dump(values))

    def command(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name(self.program)), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**_CLEAN, "VR_ROOT": str(self.root.path), **self.extra}

    def vrun(self, command: str, *more: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.vrun_alone(command, str(self.file), *more, **options)

    def vrun_alone(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """A command of this proc's host that names no file."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )

    def setup(self) -> Proc:
        done = self.vrun("setup")
        assert done.returncode == 0, done.stderr
        return self

    def launch(self, *, by: str = "launcher") -> Running:
        """Run the app in the background, by its launcher or by `vrun run`."""
        log = self.file.with_name(f"log-{len(self.started)}")
        argv = (
            [str(self.paths.launcher)] if by == "launcher" else self.command("run", str(self.file))
        )
        with log.open("wb") as output:
            process = subprocess.Popen(
                argv,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        running = Running(process, log)
        self.started.append(running)
        return running

    def shell(self, commands: str) -> subprocess.CompletedProcess[str]:
        return self.vrun("shell", input=commands)

    def uptest(self) -> list[dict[str, Any]]:
        done = self.vrun("uptest")
        assert done.returncode == 0, done.stderr
        results: list[dict[str, Any]] = json.loads(done.stdout)
        return results

    def processes(self) -> set[int]:
        return cgroups.processes(self.name)


@pytest.fixture(scope="session")
def root() -> Iterator[Root]:
    folder = Path(tempfile.mkdtemp(prefix="vr-runner-"))
    yield Root(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def image() -> dict[str, str]:
    """The image's keys of proc.yaml."""
    tarball = test_image()
    return {
        "image_url": str(tarball),
        "image_name": "test-base",
        "image_md5": file_md5(tarball),
    }


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Pack files (name to text; scripts begin with #!) into a build; gives its keys."""

    def make(files: dict[str, str]) -> dict[str, str]:
        tree = tmp_path / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        for name, text in files.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if text.startswith("#!") else 0o644)
        md5 = pack(tree, tmp_path / "build.tar.gz")
        return {"build_url": str(tmp_path / "build.tar.gz"), "build_md5": md5}

    return make


@pytest.fixture
def proc(
    tmp_path: Path, root: Root, image: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Proc]]:
    """Make procs; afterwards all are stopped and torn down, and nothing of them may be left."""
    made: list[Proc] = []
    unique = hashlib.md5(f"{request.node.nodeid}{os.getpid()}".encode()).hexdigest()[:8]

    def make(*, precise: bool = False, **keys: Any) -> Proc:
        folder = tmp_path / f"proc{len(made)}"
        folder.mkdir()
        defaults = {
            "app_name": "shop",
            "version": f"v{len(made)}",
            "config_name": "test",
            "release_hash": unique,
            "user": "nobody",
            "group": "nogroup",
            **({} if precise else image),
        }
        file = folder / "proc.yaml"
        file.write_text(yaml.safe_dump(defaults | keys))
        file.chmod(0o600)
        proc = Proc(file, root, "vrun_precise" if precise else "vrun")
        made.append(proc)
        return proc

    yield make
    for proc in made:
        for running in proc.started:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait()
        if proc.paths.folder.exists():
            done = proc.vrun("teardown", "--wait", "10")
            assert done.returncode == 0, done.stderr
        assert not proc.paths.folder.exists()
        assert proc.processes() == set()


@pytest.fixture(autouse=True)
def nothing_mounted(root: Root) -> Iterator[None]:
    """No test leaves a mount on the host."""
    yield
    assert str(root.path) not in Path("/proc/mounts").read_text()
