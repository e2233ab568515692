"""Containers as processes: exit codes, time limits, provisioning, nothing left behind."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.containers import run
from support.images import test_image
from vr.container import cgroups
from vr.container.launch import PIPE, ContainerTimeout, host_mounts, start
from vr.container.spec import Container, Limits, Mount
from vr.files.unpack import unpack

PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


@pytest.fixture(scope="module")
def workshop() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="vr-container-"))
    unpack(test_image(), folder / "image", kind="image")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(workshop: Path, request: pytest.FixtureRequest) -> Path:
    folder = workshop / request.node.name
    folder.mkdir()
    return folder


def container(workshop: Path, folder: Path, *mounts: Mount) -> Container:
    return Container(
        name=f"vr-test-{folder.name}",
        lowers=(workshop / "image",),
        upper=folder / "upper",
        uid=65534,
        gid=65534,
        mounts=(*host_mounts(), *mounts),
    )


def nothing_left(name: str) -> bool:
    bases = cgroups.host_bases()
    groups = [group for base in bases for group in base.glob(f"lxc.*.{name}*")]
    return not cgroups.processes(name) and not groups


def test_the_environment_is_the_given_one_and_output_streams(workshop: Path, folder: Path) -> None:
    spec = container(workshop, folder)
    argv = ["sh", "-c", 'echo "$A"; read line; echo "got $line"; exit 9']
    with start(
        spec, folder, argv, env={**PATH, "A": "it's\n`x`"}, stdin=PIPE, stdout=PIPE
    ) as running:
        assert running.stdin and running.stdout
        assert running.stdout.readline() + running.stdout.readline() == b"it's\n`x`\n"
        running.stdin.write(b"hello\n")
        running.stdin.close()
        assert running.stdout.read() == b"got hello\n"
        assert running.wait(10) == 9
    assert nothing_left(spec.name)


def test_what_takes_too_long_is_killed_with_all_its_children(workshop: Path, folder: Path) -> None:
    spec = container(workshop, folder)
    argv = ["sh", "-c", "trap '' TERM; setsid sleep 1000 & sleep 1000"]
    with pytest.raises(ContainerTimeout, match=r"after 0\.3 seconds"):
        run(spec, folder, argv, env=PATH, timeout=0.3)
    assert nothing_left(spec.name)


def test_leaving_the_block_by_an_exception_kills_everything(workshop: Path, folder: Path) -> None:
    spec = container(workshop, folder)
    with (
        pytest.raises(KeyboardInterrupt),
        start(spec, folder, ["sh", "-c", "echo on; sleep 1000"], env=PATH, stdout=PIPE) as running,
    ):
        assert running.stdout and running.stdout.readline() == b"on\n"
        raise KeyboardInterrupt
    assert nothing_left(spec.name)


def test_writable_mounts_take_what_the_container_writes(workshop: Path, folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    data.chmod(0o777)
    spec = container(workshop, folder, Mount(data, "/build/here", read_only=False))
    assert run(spec, folder, ["touch", "/build/here/x"], env=PATH) == 0
    assert (data / "x").exists()
    assert (data / "x").stat().st_uid == 65534
    assert not (workshop / "image/build").exists()


def test_provisioning_is_root_over_packages_but_not_over_the_kernel(
    workshop: Path, folder: Path
) -> None:
    root = folder / "root"
    workshop.chmod(0o755)  # root inside is an ordinary user of the host
    shutil.copytree(workshop / "image", root, symlinks=True, ignore=shutil.ignore_patterns("dev"))
    (root / "dev").mkdir()
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    before = {str(path.relative_to(root)) for path in root.rglob("*")}
    spec = Container(
        name=f"vr-test-{folder.name}",
        lowers=(),
        upper=root,
        uid=0,
        gid=0,
        role="provision",
        mounts=host_mounts("/run/host-ca.crt"),
        limits=Limits(tmp_size=None),
    )
    script = """
    set -e
    touch /srv/owned && chown 12:34 /srv/owned && chmod 4755 /srv/owned
    su -s /bin/sh nobody -c 'test $(id -un) = nobody'
    dpkg --configure -a
    refused() { if "$@"; then echo "allowed: $*"; exit 1; fi; }
    refused mount -t tmpfs none /mnt
    refused mknod /srv/disk b 8 0
    refused dd if=/dev/zero of=/proc/sys/kernel/core_pattern
    refused unshare -m true
    refused unshare -U true
    test -s /etc/resolv.conf
    read -r inside outside _ </proc/self/uid_map
    test $inside = 0 && test $outside -gt 65536
    """
    assert run(spec, folder, ["bash", "-c", script], env=PATH) == 0
    owned = (root / "srv/owned").stat()
    assert (owned.st_uid, owned.st_gid, owned.st_mode & 0o7777) == (12, 34, 0o4755)
    after = {str(path.relative_to(root)) for path in root.rglob("*")}
    added = {path for path in after - before if not path.startswith(("var/", "dev/", "run/"))}
    assert added == {"srv/owned"}
    assert nothing_left(spec.name)


def test_an_upper_in_memory_leaves_no_trace(workshop: Path, folder: Path) -> None:
    memory = folder / "memory"
    memory.mkdir()
    spec = Container(
        name=f"vr-test-{folder.name}",
        lowers=(workshop / "image",),
        upper=memory / "upper",
        uid=65534,
        gid=65534,
        upper_size=16 << 20,
    )
    assert run(spec, folder, ["sh", "-c", "test -d /usr && ! touch /x"], env=PATH) == 0
    assert not any(memory.iterdir())
    assert str(folder) not in Path("/proc/mounts").read_text()
