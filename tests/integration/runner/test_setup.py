"""vrun setup: layers once, secrets private, mistakes explained, nothing half done."""

from __future__ import annotations

import io
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.waiting import until
from vr.files.locks import Lock
from vr.files.pack import pack
from vr.paths import Root

PROCFILE = {"Procfile": "web: sleep 1000\nworker: sleep 1000\n"}


def test_a_build_is_unpacked_once_for_all_its_procs(
    proc: Callable[..., Any], build: Callable[..., Any], root: Root
) -> None:
    keys = build(PROCFILE)
    one = proc(**keys, proc_name="web").setup()
    layer = next(root.layers.glob(f"{keys['build_md5']}-*"))
    made = layer.stat().st_ctime_ns
    two = proc(**keys, proc_name="worker")
    # Neither the tarball nor the image is needed any more.
    Path(keys["build_url"]).unlink()
    two.setup()
    assert layer.stat().st_ctime_ns == made
    assert not (one.paths.upper / "app/Procfile").exists()


def test_two_setups_at_once_unpack_once(
    proc: Callable[..., Any], build: Callable[..., Any], root: Root
) -> None:
    keys = build({**PROCFILE, **{f"file{number}": "x" * 1000 for number in range(2000)}})
    procs = [proc(**keys, proc_name="web") for _ in range(2)]
    commands = [
        subprocess.Popen(
            one.command("setup", str(one.file)),
            env=one.environment,
        )
        for one in procs
    ]
    assert [command.wait(60) for command in commands] == [0, 0]
    assert len(list(root.layers.glob(f"{keys['build_md5']}-*"))) == 1
    assert not list(root.layers.glob(".*"))


def test_files_with_secrets_are_private(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    one = proc(**build(PROCFILE), proc_name="web", env={"A": "hunter2"}, settings={"b": 1}).setup()
    nobody = pwd.getpwnam("nobody").pw_uid
    env = one.paths.folder / "env"
    found = {
        path.name: (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode))
        for path in [*env.iterdir(), one.paths.launcher, one.paths.lxc_conf]
    }
    assert found["proc.sh"] == (nobody, 0o500)
    assert found["settings.yaml"] == (nobody, 0o400)
    assert found["launch"] == (0, 0o700)
    assert stat.S_IMODE(one.paths.folder.stat().st_mode) == 0o700
    readable = [path for path in one.paths.folder.iterdir() if path.is_file()]
    assert one.paths.launcher in readable
    assert not [path for path in readable if "hunter2" in path.read_text()]


def test_a_new_setup_replaces_what_the_app_wrote_to_app(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    one = proc(**build(PROCFILE), cmd="echo x >>/app/written; ls /app", proc_name="web").setup()
    running = one.launch()
    assert running.process.wait(30) == 0
    assert (one.paths.upper / "app/written").exists()
    one.setup()
    assert not (one.paths.upper / "app/written").exists()


@pytest.mark.parametrize(
    ("keys", "code", "words"),
    [
        ({"proc_name": "wbe"}, 2, ["proc_name", "'wbe'", "web, worker"]),
        ({"app_name": "my app"}, 2, ["app_name", "'my app'", "space"]),
        ({"build_md5": "0" * 32}, 1, ["0" * 32, "md5", "build.tar.gz"]),
        (
            {"build_url": "/nowhere/b.tar.gz", "build_md5": None},
            1,
            ["/nowhere/b.tar.gz", "No such file"],
        ),
        ({"user": "root"}, 2, ["user", "root"]),
        ({"user": "games"}, 2, ["user", "'games' is a service's account", "VR_RUN_AS"]),
        ({"user": "200001"}, 2, ["user", "200001", "VR_HOST_UIDS"]),
        ({"user": "no_such_user"}, 2, ["no_such_user", "useradd"]),
        ({"image_url": None, "image_name": None}, 2, ["image_url", "vrun_precise"]),
        ({"volumes": [["/nowhere", "/data"]]}, 1, ["/nowhere", "does not exist"]),
        ({"volumes": [["/opt", "/bin/x"]]}, 1, ["/bin", "symbolic link"]),
    ],
)
def test_mistakes_are_explained_and_leave_nothing_ready(
    proc: Callable[..., Any],
    build: Callable[..., Any],
    keys: dict[str, Any],
    code: int,
    words: list[str],
) -> None:
    one = proc(**{**build(PROCFILE), "proc_name": "web", **keys})
    done = one.vrun("setup")
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    for folder in one.root.procs.iterdir() if one.root.procs.exists() else []:
        if one.file.read_text().split("release_hash: ")[1][:8] in folder.name:
            assert not (folder / "launch").exists()
            shutil.rmtree(folder)
    one.change(app_name="shop")


def test_a_wrong_checksum_leaves_no_layer(
    proc: Callable[..., Any], build: Callable[..., Any], root: Root
) -> None:
    before = set(root.layers.iterdir()) if root.layers.exists() else set()
    one = proc(**{**build(PROCFILE), "build_md5": "0" * 32}, proc_name="web")
    assert one.vrun("setup").returncode == 1
    assert set(root.layers.iterdir()) == before
    assert not root.proc(one.name).folder.exists(), "a proc half set up is left"


def test_an_evil_build_is_refused_and_leaves_no_layer(
    proc: Callable[..., Any], tmp_path: Path, root: Root
) -> None:
    tarball = tmp_path / "evil.tar.gz"
    with tarfile.open(tarball, "w:gz") as archive:
        for name in ("Procfile", "../../../planted"):
            info = tarfile.TarInfo(name)
            info.size = 6
            archive.addfile(info, io.BytesIO(b"web: x"))
    one = proc(build_url=str(tarball), proc_name="web")
    done = one.vrun("setup")
    assert done.returncode == 1
    assert "'../../../planted'" in done.stderr
    assert not list(root.layers.glob(".*"))
    assert not list(root.path.rglob("planted"))


def test_a_procfile_that_is_a_link_out_of_the_build_is_not_read(
    proc: Callable[..., Any], tmp_path: Path
) -> None:
    tarball = tmp_path / "evil.tar.gz"
    with tarfile.open(tarball, "w:gz") as archive:
        info = tarfile.TarInfo("Procfile")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    done = proc(build_url=str(tarball), proc_name="root").vrun("setup")
    assert done.returncode == 2
    assert "no Procfile" in done.stderr


def test_setup_and_teardown_exclude_each_other(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    one = proc(**build(PROCFILE), proc_name="web")
    with Lock(one.file):
        for command in ("setup", "teardown", "run"):
            done = one.vrun(command)
            assert done.returncode == 1
            assert f"process {os.getpid()}" in done.stderr


def test_a_setup_killed_anywhere_can_be_repeated(
    proc: Callable[..., Any], build: Callable[..., Any], root: Root
) -> None:
    keys = build({**PROCFILE, **{f"file{number}": "x" for number in range(3000)}})
    one = proc(**keys, proc_name="web")
    command = subprocess.Popen(
        one.command("setup", str(one.file)),
        env=one.environment,
    )
    until(lambda: list(root.layers.glob(".new-*/.unpack*/contents/f*")), "it unpacks")
    command.send_signal(signal.SIGKILL)
    command.wait()
    one.setup()
    assert not list(root.layers.glob(".*"))
    running = one.launch()
    until(lambda: len(one.processes()) >= 3, "the app runs")
    assert running.stop() == 143


def test_a_changed_image_is_unpacked_beside_the_old_one(
    proc: Callable[..., Any], tmp_path: Path, root: Root
) -> None:
    folders = []
    for content in ("one", "two"):
        tarball = tmp_path / "os.tar"
        with tarfile.open(tarball, "w") as archive:
            for name, kind, link in [
                ("etc", tarfile.DIRTYPE, ""),
                ("etc/resolv.conf", tarfile.SYMTYPE, "../run/stub.conf"),
                (content, tarfile.REGTYPE, ""),
            ]:
                info = tarfile.TarInfo(name)
                info.type, info.linkname, info.mode = kind, link, 0o755
                archive.addfile(info)
        proc(image_url=str(tarball), image_name="changing", image_md5=None, cmd="x").setup()
        folders.append(next((root.images / "changing").glob(f"*/contents/{content}")).parent)
    assert folders[0] != folders[1]
    assert all((folder / "etc/resolv.conf").is_file() for folder in folders)
    assert not any((folder / "etc/resolv.conf").is_symlink() for folder in folders)


def test_a_build_placed_under_its_plain_name_is_used_if_its_checksum_fits(
    proc: Callable[..., Any], build: Callable[..., Any], root: Root
) -> None:
    keys = build({"page": "placed by hand"})
    root.builds.mkdir(parents=True, exist_ok=True)
    placed = root.builds / "placed.tar.gz"
    shutil.copy(keys["build_url"], placed)
    address = "http://127.0.0.1:9/builds/placed.tar.gz"  # nobody answers there
    one = proc(build_url=address, build_md5=keys["build_md5"], cmd="cat page").setup()
    assert one.vrun("run").stdout == "placed by hand"
    other = proc(build_url=address, build_md5="0" * 32, cmd="cat page")
    assert other.vrun("setup").returncode == 1
    placed.unlink()


def test_a_link_of_a_build_that_points_outside_leads_where_the_container_has_it(
    proc: Callable[..., Any], tmp_path: Path
) -> None:
    tree = tmp_path / "linked"
    tree.mkdir()
    (tree / "up").symlink_to("../etc/os-release")
    md5 = pack(tree, tmp_path / "linked.tar.gz")
    url = str(tmp_path / "linked.tar.gz")
    one = proc(build_url=url, build_md5=md5, cmd="readlink up; cat up").setup()
    done = one.vrun("run")
    assert done.stdout.startswith("../etc/os-release\n") and "ID=" in done.stdout


def test_profile_is_sourced_after_profile_d(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    files = {
        ".profile.d/1.sh": "export WHO=profile.d SEEN=first",
        ".profile": 'export WHO=profile SEEN="$SEEN then profile"',
    }
    one = proc(**build(files), cmd='echo "$WHO, $SEEN"').setup()
    assert one.vrun("run").stdout == "profile, first then profile\n"


def test_a_profile_alone_is_sourced(proc: Callable[..., Any], build: Callable[..., Any]) -> None:
    one = proc(**build({".profile": "export WHO=profile"}), cmd='echo "$WHO"').setup()
    assert one.vrun("run").stdout == "profile\n"


def test_an_unknown_command_exits_1_and_names_the_nearest(proc: Callable[..., Any]) -> None:
    done = proc(cmd="true").vrun("stup")
    assert done.returncode == 1
    assert "no command 'stup'" in done.stderr and "Did you mean setup?" in done.stderr
