"""What one app can do to another, to its own layers and to the host: nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vr.paths import Root

WHO = "id -u; id -un; id -g; id -gn; touch mine && echo writable"


@pytest.mark.parametrize("precise", [False, True])
def test_an_app_has_a_user_id_of_its_own_that_is_called_nobody(
    proc: Callable[..., Any], build: Callable[..., Any], precise: bool
) -> None:
    one = proc(precise=precise, **build({"page": "x"}), host_uid=200_007, cmd=WHO).setup()
    done = one.vrun("run")
    assert done.stdout.split() == ["200007", "nobody", "200007", "nogroup", "writable"], done.stderr
    assert (one.paths.upper / "app/mine").stat().st_uid == 200_007


def test_no_user_of_the_host_gets_at_layers_images_locks_or_files_of_procs(
    proc: Callable[..., Any], build: Callable[..., Any], root: Root
) -> None:
    for folder in (root.layers, root.builds, root.images, root.locks, root.ready):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)  # as an earlier version made them
    one = proc(**build({"page": "secret"}), cmd="cat page").setup()
    layer = next(root.layers.glob("*-65534-*"))
    for path in (layer, root.images / "test-base", root.locks, root.ready, one.paths.folder):
        files = (path, path / "app/page", path / "new")
        script = "; ".join([*(f"ls {file}; cp /dev/null {file}" for file in files)])
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script],
            capture_output=True,
            text=True,
        )
        assert done.stdout == "" and done.stderr.count("Permission denied") == 6, done.stderr
    # Inside, all is there as ever.
    assert one.vrun("run").stdout == "secret"


def test_another_apps_files_in_a_shared_volume_are_its_own(
    proc: Callable[..., Any], tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    volumes = [[str(shared), "/data"]]
    write = "umask 077; echo private >/data/one && echo done"
    assert proc(host_uid=200_001, volumes=volumes, cmd=write).setup().vrun("run").stdout == "done\n"
    attack = "cat /data/one; echo x >>/data/one; rm -f /data/one; chmod 777 /data/one; echo end"
    done = proc(host_uid=200_002, volumes=volumes, cmd=attack).setup().vrun("run")
    assert done.stdout == "end\n"
    assert (shared / "one").read_text() == "private\n"


@pytest.mark.parametrize("source", ["/", "/proc", "/sys/fs", "/etc", "/dev", "/run", "/var"])
def test_the_hosts_own_folders_are_no_volumes(proc: Callable[..., Any], source: str) -> None:
    done = proc(cmd="true", volumes=[[source, "/data"]]).vrun("setup")
    assert done.returncode == 2
    assert "which is no app's" in done.stderr


def test_velociraptors_own_folders_are_no_volumes_nor_by_a_link(
    proc: Callable[..., Any], root: Root, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(root.path)
    (tmp_path / "etc").symlink_to("/etc")
    home = tmp_path / "home/secrets"
    home.mkdir(parents=True)
    sources = [root.path, root.path.parent, tmp_path / "link/layers", tmp_path / "etc", home]
    one = proc(cmd="true", volumes=[[str(path), f"/v{n}"] for n, path in enumerate(sources)])
    one.extra["VR_HOME"] = str(tmp_path / "home")
    done = one.vrun("setup")
    assert done.returncode == 2
    assert [f"pair {number}" in done.stderr for number in range(1, 6)] == [True] * 5, done.stderr


def test_no_link_leads_out_of_the_roots_of_volumes(
    proc: Callable[..., Any], tmp_path: Path
) -> None:
    root, other = tmp_path / "roots", tmp_path / "other"
    (root / "shop").mkdir(parents=True)
    other.mkdir()
    (root / "shop/link").symlink_to(other)
    (root / "inside").symlink_to(root / "shop")
    one = proc(cmd="true", volumes=[[f"{root}/shop/link", "/a"], [f"{root}/inside", "/b"]])
    one.extra["VR_VOLUME_ROOTS"] = str(root)
    done = one.vrun("setup")
    assert done.returncode == 2
    assert "pair 1: " in done.stderr and "out of VR_VOLUME_ROOTS" in done.stderr
    assert "pair 2: " not in done.stderr
    one.extra["VR_VOLUME_ROOTS"] = f"{root},{other}"
    one.setup()


def test_host_uid_is_for_nobody_and_no_account_of_the_host(proc: Callable[..., Any]) -> None:
    one = proc(cmd="true", user="games", host_uid=33)
    done = one.vrun("setup")
    assert done.returncode == 2
    assert "host_uid: is for the user nobody" in done.stderr
    assert "host_uid: 33 is out of range" in done.stderr
    one.change(user="nobody", host_uid=200_000)


def test_an_app_cannot_write_what_its_layers_have_on_the_host(
    proc: Callable[..., Any], build: Callable[..., Any], root: Root
) -> None:
    script = """#!/usr/bin/env python3
import json, os, re
tried = {}
options = next(line for line in open("/proc/mounts") if line.split()[1] == "/").split()[3]
for layer in re.search("lowerdir=([^,]*)", options)[1].split(":"):
    for path in (layer, layer + "/app/page", "/proc/1/root" + layer):
        try:
            os.stat(path)
            tried[path] = "seen"
        except OSError as error:
            tried[path] = error.strerror
open("/app/page", "a").write("changed")
print(json.dumps(tried))
"""
    one = proc(**build({"look": script, "page": "x"}), host_uid=200_003, cmd="./look").setup()
    done = one.vrun("run")
    assert done.returncode == 0, done.stderr
    assert "seen" not in json.loads(done.stdout).values()
    layer = next(root.layers.glob("*-200003-200003"))
    assert (layer / "app/page").read_text() == "x"
    assert root.layers.stat().st_mode & 0o777 == 0o700
