"""Files of the original run unchanged, in both variants, from every kind of source."""

from __future__ import annotations

import hashlib
import http.server
import json
import lzma
import os
import pty
import re
import select
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.images import test_image
from vr.files.checksums import file_md5
from vr.paths import Root

FILES = {
    "Procfile": "web: echo $GREETING from $PORT\nworker: true\n",
    "uptests/web/answers": "#!/bin/sh\necho $1 $2\n",
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Counter[str], Path]]:
    """The URL of a folder, how often each path was asked for, and the folder."""
    asked: Counter[str] = Counter()
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def do_GET(self) -> None:
            asked[self.path] += 1
            super().do_GET()

        def log_message(self, format: str, *arguments: Any) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked, folder
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("precise", [False, True], ids=["vrun", "vrun_precise"])
def test_a_proc_yaml_of_the_originals_server(
    proc: Callable[..., Any],
    build: Callable[..., Any],
    served: tuple[str, Counter[str], Path],
    image: dict[str, str],
    precise: bool,
) -> None:
    url, _asked, folder = served
    keys = build(FILES)
    shutil.copy(keys["build_url"], folder / "shop-v1-abc.tar.gz")
    image = dict.fromkeys(image) if precise else image
    one = proc(
        precise=precise,
        **image,
        app_folder=None,
        app_repo_type="git",
        app_repo_url="https://example.com/shop.git",
        build_md5=keys["build_md5"],
        build_url=f"{url}/shop-v1-abc.tar.gz",
        buildpack_url="https://example.com/python.git",
        buildpack_version="f00",
        cmd=None,
        env={"GREETING": "hello", "DEBUG": True, "NOTHING": None},
        host="localhost",
        mem_limit="128M",
        memsw_limit="256M",
        port=5123,
        proc_name="web",
        settings={"a": {"b": [1, 2]}},
        volumes=None,
    )
    assert re.fullmatch(r"shop-v0-test-\w{8}-web-5123", one.name)
    one.setup()
    running = one.launch(by="vrun")
    assert running.process.wait(30) == 0
    assert running.output == "hello from 5123\n"
    (result,) = one.uptest()
    assert (result["Name"], result["Passed"]) == ("answers", True)
    assert result["Output"] == "localhost 5123\n"
    assert one.shell("echo $DEBUG ${NOTHING-unset}; cat $APP_SETTINGS_YAML\n").stdout == (
        "true unset\na:\n  b:\n  - 1\n  - 2\n"
    )
    assert one.vrun("teardown").returncode == 0
    assert not one.paths.folder.exists()


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
def test_builds_in_every_format(
    proc: Callable[..., Any], build: Callable[..., Any], tmp_path: Path, suffix: str
) -> None:
    plain = tmp_path / "build.tar"
    keys = build({**FILES, "format": suffix})
    with plain.open("wb") as out:
        subprocess.run(["gzip", "-dc", keys["build_url"]], stdout=out, check=True)
    packed = plain.with_name(f"build.tar.{suffix}")
    packers = {"gz": "gzip", "bz2": "bzip2", "zst": "zstd"}
    if suffix == "xz":
        packed.write_bytes(lzma.compress(plain.read_bytes()))
    else:
        with packed.open("wb") as out:
            subprocess.run([packers[suffix], "-c", str(plain)], stdout=out, check=True)
    one = proc(build_url=packed.as_uri(), build_md5=file_md5(packed), cmd="cat format").setup()
    running = one.launch()
    assert running.process.wait(30) == 0
    assert running.output == suffix


def test_sha256_is_checked_like_md5(proc: Callable[..., Any], build: Callable[..., Any]) -> None:
    tarball = Path(build(FILES)["build_url"])
    one = proc(build_url=str(tarball), build_sha256="0" * 64, cmd="true")
    done = one.vrun("setup")
    assert done.returncode == 1
    sha256 = hashlib.sha256(tarball.read_bytes()).hexdigest()
    assert "sha256" in done.stderr and sha256 in done.stderr
    one.change(build_sha256=sha256)
    assert one.setup().launch().process.wait(30) == 0


def test_setups_at_once_download_and_unpack_once(
    proc: Callable[..., Any],
    build: Callable[..., Any],
    served: tuple[str, Counter[str], Path],
    tmp_path: Path,
) -> None:
    url, asked, folder = served
    keys = build({"file": "x" * 100_000})
    shutil.copy(keys["build_url"], folder / "build.tar.gz")
    procs = [
        proc(precise=True, build_url=f"{url}/build.tar.gz", build_md5=keys["build_md5"], cmd="true")
        for _ in range(4)
    ]
    for one in procs:
        one.root = Root(tmp_path / "apps")
    setups = [
        subprocess.Popen(one.command("setup", str(one.file)), env=one.environment) for one in procs
    ]
    assert [setup.wait(60) for setup in setups] == [0] * 4
    assert asked == {"/build.tar.gz": 1}
    assert len(list(procs[0].root.layers.iterdir())) == 1


def test_an_image_is_shared_by_its_content(
    proc: Callable[..., Any], tmp_path: Path, image: dict[str, str]
) -> None:
    """Unpacked for another proc already, by whatever way it came then."""
    link = tmp_path / "image.tar"
    link.symlink_to(test_image())
    one = proc(**(image | {"image_url": link.as_uri()}), cmd="true").setup()
    assert json.loads((one.paths.folder / "setup.json").read_text())["lowers"][1].endswith(
        f"images/test-base/{image['image_md5']}/contents"
    )


def test_downloads_show_progress_on_a_terminal_only(
    proc: Callable[..., Any],
    build: Callable[..., Any],
    served: tuple[str, Counter[str], Path],
    tmp_path: Path,
) -> None:
    url, _asked, folder = served
    keys = build(FILES)
    shutil.copy(keys["build_url"], folder / "build.tar.gz")
    one = proc(precise=True, build_url=f"{url}/build.tar.gz", cmd="true")
    one.root = Root(tmp_path / "apps")
    outer, inner = pty.openpty()
    setup = subprocess.Popen(
        one.command("setup", str(one.file)),
        env={**one.environment, "TERM": "xterm"},
        stdout=inner,
        stderr=inner,
    )
    os.close(inner)
    seen = b""
    while select.select([outer], [], [], 30)[0]:
        try:
            seen += os.read(outer, 4096)
        except OSError:  # how Linux says that the last holder is gone
            break
    os.close(outer)
    assert setup.wait(30) == 0
    assert b"build: 100 % of 0.0 MB" in seen
    shutil.rmtree(one.root.path / "builds")
    assert "%" not in one.vrun("setup").stdout
