"""Procs in real containers: one VR_ROOT for all tests, so that the image is unpacked once."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.images import test_image
from support.procs import Proc
from vr.files.checksums import file_md5
from vr.files.pack import pack
from vr.paths import Root


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
