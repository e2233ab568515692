"""Where vrun is measured: a build, an image, and proc.yaml files, in a folder that goes away."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "src"), str(TOP / "tests")]

from support.images import test_image  # noqa: E402
from vr.files.checksums import file_md5  # noqa: E402
from vr.files.pack import pack  # noqa: E402
from vr.paths import Root  # noqa: E402

FILES, MEGABYTES = 20_000, 200


@dataclass
class Bench:
    """The workshop: everything lies below `folder`, on one disk."""

    folder: Path
    build: Path
    image: Path

    @property
    def root(self) -> Root:
        return Root(self.folder / "apps")

    def proc(self, number: int, *, build: bool = True, **keys: object) -> Path:
        values = {
            "app_name": "bench",
            "version": "v1",
            "config_name": "test",
            "release_hash": f"{os.getpid():08x}",
            "proc_name": "web",
            "cmd": "echo ready; exec sleep 1000",
            "port": 7000 + number,
            "host": "localhost",
            "user": "nobody",
            "group": "nogroup",
            "env": {},
            "settings": {},
            "image_name": "bench",
            "image_url": str(self.image),
            "image_md5": file_md5(self.image),
            **({"build_url": str(self.build), "build_md5": file_md5(self.build)} if build else {}),
        }
        file = self.folder / f"proc{number}{'' if build else '-bare'}.yaml"
        file.write_text(yaml.safe_dump(values | keys))
        return file

    def vrun(self, *arguments: str) -> list[str]:
        return [str(self.folder / "vrun"), *arguments]


@contextmanager
def workshop() -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="vr-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        print(f"making a build of {MEGABYTES} MB in {FILES} files ...", flush=True)
        make_tree(folder / "tree")
        pack(folder / "tree", folder / "build.tar.gz")
        shutil.rmtree(folder / "tree")
        command = folder / "vrun"
        command.write_text(
            f"#!{sys.executable}\nimport os, sys\nsys.path.insert(0, {str(TOP / 'src')!r})\n"
            f"os.environ['VR_ROOT'] = {str(folder / 'apps')!r}\n"
            "from vr.runner.main import main\nmain()\n"
        )
        command.chmod(0o755)
        yield Bench(folder, folder / "build.tar.gz", test_image())
    finally:
        shutil.rmtree(folder)


def make_tree(tree: Path) -> None:
    """Half of it compresses well, as code does, half of it not, as pictures don't."""
    source = random.Random(1)
    for number in range(FILES):
        path = tree / f"{number % 200:03}" / f"{number:05}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        half = MEGABYTES * 500_000 // FILES
        path.write_bytes(source.randbytes(half) + (b"def name(self): return 1\n" * half)[:half])


def timed(action: Callable[[], object]) -> float:
    os.sync()  # earlier writes are not this one's business
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def run(*argv: str) -> None:
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
