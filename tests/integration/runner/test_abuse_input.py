"""Hostile builds, images, volumes and values: refused by name, or harmless inside."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from vr.files.checksums import file_md5

SHELL = "x'; touch /tmp/pwned; $(touch /tmp/pwned) `touch /tmp/pwned` #"


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> Any:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, link, mode
    if kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
        made.devmajor, made.devminor = 1, 1
    return made


@pytest.fixture
def tarball(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """A build of the entries given; regular ones hold `x`."""

    def make(*entries: tarfile.TarInfo) -> dict[str, str]:
        path = tmp_path / "evil.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for made in entries:
                made.size = 1 if made.isreg() else 0
                archive.addfile(made, BytesIO(b"x") if made.isreg() else None)
        return {"build_url": str(path), "build_md5": file_md5(path)}

    return make


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([entry("../outside")], "'..'"),
        ([entry("/etc/outside")], "absolute"),
        ([entry("a/../../outside")], "'..'"),
        ([entry("up", tarfile.SYMTYPE, "../../.."), entry("up/outside")], "symbolic link 'up'"),
        ([entry("out", tarfile.SYMTYPE, "/etc"), entry("out/outside")], "symbolic link 'out'"),
        ([entry("hard", tarfile.LNKTYPE, "/etc/passwd")], "hard link"),
        ([entry("hard", tarfile.LNKTYPE, "../../../etc/passwd")], "hard link"),
        (
            [entry("out", tarfile.SYMTYPE, "/etc"), entry("h", tarfile.LNKTYPE, "out/passwd")],
            "symbolic link 'out'",
        ),
    ],
    ids=["dots", "absolute", "inner dots", "link up", "through a link", "hard", "hard up", "both"],
)
def test_a_build_that_would_write_outside_is_refused_whole(
    proc: Callable[..., Any],
    tarball: Callable[..., dict[str, str]],
    entries: list[tarfile.TarInfo],
    told: str,
) -> None:
    one = proc(**tarball(entry("good"), *entries), cmd="true")
    done = one.vrun("setup")
    assert done.returncode == 1
    assert told in done.stderr and repr(entries[-1].name) in done.stderr
    left = [path for path in one.root.layers.iterdir() if path.name.startswith(".")]
    assert left == [] and not Path("/etc/outside").exists()
    assert not one.paths.launcher.exists()


def test_nodes_fifos_and_setuid_bits_do_not_survive_unpacking(
    proc: Callable[..., Any], tarball: Callable[..., dict[str, str]]
) -> None:
    keys = tarball(
        entry("mem", tarfile.CHRTYPE, mode=0o666),
        entry("disk", tarfile.BLKTYPE, mode=0o666),
        entry("pipe", tarfile.FIFOTYPE),
        entry("root", mode=0o6755),
    )
    one = proc(**keys, cmd="ls -l /app && test ! -u /app/root && test ! -g /app/root").setup()
    running = one.launch()
    assert running.process.wait(30) == 0, running.output
    assert "root" in running.output
    assert not any(name in running.output for name in ("mem", "disk", "pipe"))


def test_a_procfile_that_leads_to_the_hosts_files_is_not_read(
    proc: Callable[..., Any], tarball: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("web: the host's secret\n")
    keys = tarball(entry("Procfile", tarfile.SYMTYPE, str(secret)))
    done = proc(**keys, proc_name="web").vrun("setup")
    assert done.returncode == 2 and "secret" not in done.stderr


def test_an_image_whose_etc_leads_to_the_host_changes_nothing_there(
    proc: Callable[..., Any], tmp_path: Path
) -> None:
    """LXC itself would follow the link to make its mount points."""
    victim = tmp_path / "victim"
    victim.mkdir()
    victim.chmod(0o777)
    image = tmp_path / "image.tar"
    with tarfile.open(image, "w") as archive:
        for name in ("bin", "usr", "app", "tmp"):
            archive.addfile(entry(name, tarfile.DIRTYPE, mode=0o755))
        archive.addfile(entry("etc", tarfile.SYMTYPE, str(victim)))
        archive.addfile(entry("srv", tarfile.SYMTYPE, str(victim)))
    keys = {"image_url": str(image), "image_name": "evil", "image_md5": file_md5(image)}
    data = tmp_path / "data"
    data.mkdir()
    one = proc(**keys, cmd="true", volumes=[[str(data), "/srv/data"]])
    done = one.vrun("setup")
    assert done.returncode == 1 and "symbolic link" in done.stderr
    one.change(volumes=[])
    assert one.vrun("setup").returncode == 0
    assert one.launch().process.wait(30) != 0  # there is nothing in it that could run
    assert list(victim.iterdir()) == []


@pytest.mark.parametrize("target", ["/", "/proc", "/sys/x", "/dev", "/a/../etc", "relative"])
def test_volumes_over_the_containers_own_parts_are_refused(
    proc: Callable[..., Any], tmp_path: Path, target: str
) -> None:
    one = proc(cmd="true")
    one.change(volumes=[[str(tmp_path), target]])
    done = one.vrun("setup")
    assert done.returncode == 2 and "volumes" in done.stderr
    one.change(volumes=[])


def test_a_link_in_a_volume_leads_where_the_container_sees_it_lead(
    proc: Callable[..., Any], tmp_path: Path
) -> None:
    data, secret = tmp_path / "data", tmp_path / "secret"
    data.mkdir()
    secret.write_text("the host's")
    (data / "link").symlink_to(secret)
    (data / "etc").symlink_to("/etc/hostname-of-the-host")
    os.chown(data, 65534, 65534)
    one = proc(cmd="cat /data/link /data/etc; exit 5", volumes=[[str(data), "/data"]]).setup()
    running = one.launch()
    assert running.process.wait(30) == 5
    assert "the host's" not in running.output
    assert running.output.count("No such file") == 2


@pytest.mark.parametrize(
    "key", ["app_name", "version", "config_name", "release_hash", "proc_name", "image_name"]
)
def test_names_with_shell_syntax_are_refused(proc: Callable[..., Any], key: str) -> None:
    Path("/tmp/pwned").unlink(missing_ok=True)
    one = proc(cmd="true")
    one.change(**{key: SHELL})
    done = one.vrun("setup")
    assert done.returncode == 2 and key in done.stderr
    assert not Path("/tmp/pwned").exists()
    one.change(**{key: "fine"} if key != "image_name" else {key: "test-base"})


def test_values_with_shell_syntax_are_only_values(proc: Callable[..., Any]) -> None:
    keys = {"env": {"A": SHELL, "B": f"\n{SHELL}\n"}, "settings": {SHELL: SHELL}, "host": SHELL}
    one = proc(cmd='printf "%s|%s" "$A" "$B"; test ! -e /tmp/pwned', **keys).setup()
    running = one.launch()
    assert running.process.wait(30) == 0
    assert running.output == f"{SHELL}|\n{SHELL}\n"
    assert not Path("/tmp/pwned").exists()


def test_other_users_of_the_host_cannot_read_a_procs_secrets(proc: Callable[..., Any]) -> None:
    one = proc(cmd="true", env={"PASSWORD": "x"}, settings={"password": "x"}).setup()
    assert one.paths.folder.stat().st_mode & 0o077 == 0
    for name in ("proc.sh", "settings.yaml"):
        status = (one.paths.folder / "env" / name).stat()
        assert status.st_uid == 65534 and status.st_mode & 0o077 == 0
