"""kill -9 of anything at any moment of setup, run and teardown: nothing is left on the host."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.images import test_image
from support.processes import descendants
from support.procs import Proc
from support.waiting import until
from vr.container.cgroups import host_bases
from vr.files.checksums import file_md5
from vr.paths import Root

pytestmark = pytest.mark.chaos

ROUNDS = 30
SEED = int(os.environ.get("VR_CHAOS_SEED", "1"))
NETWORK = "10.213.0.0/20"
KINDS: tuple[dict[str, Any], ...] = ({}, {"disk_limit": "16M"}, {"network": "private"})


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="vr-kills-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def base(folder: Path) -> dict[str, Any]:
    """proc.yaml's keys that all rounds have in common; the app is hard to stop."""
    tree = folder / "tree"
    tree.mkdir()
    for number in range(400):  # so many that there is time to be killed while unpacking
        (tree / str(number)).write_bytes(os.urandom(20_000))
    build = folder / "build.tar"
    subprocess.run(["tar", "-C", str(tree), "-cf", str(build), "."], check=True)
    return {
        "app_name": "kills",
        "config_name": "test",
        "release_hash": f"{os.getpid():x}",
        "cmd": "trap '' TERM; sleep 1000 & sleep 1000 & wait; wait",
        "user": "nobody",
        "stop_timeout": 1,
        "mem_limit": "64M",
        "image_name": "base",
        "image_url": str(test_image()),
        "build_url": str(build),
        "build_md5": file_md5(build),
    }


def left(folder: Path) -> list[str]:
    """What of any container's is still on the host."""
    mark = "kills-v"
    processes = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            processes += [words] if mark in words else []
    listings = (["losetup", "-a"], ["ip", "-o", "address"], ["iptables-save"])
    said = [line for command in listings for line in output(command).splitlines()]
    return [
        *processes,
        *(str(group) for base in host_bases() for group in base.glob(f"lxc.*.{mark}*")),
        *(line for line in Path("/proc/mounts").read_text().splitlines() if str(folder) in line),
        *(line for line in said if str(folder) in line or "10.213." in line),
    ]


def output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def kill_in_setup(one: Proc, dice: random.Random) -> None:
    killed(one.command("setup", str(one.file)), one, dice.random())
    if dice.random() < 0.5:
        one.setup()


def kill_in_teardown(one: Proc, dice: random.Random) -> None:
    killed(one.setup().command("teardown", str(one.file)), one, dice.random() * 0.3)


def kill_in_run(one: Proc, dice: random.Random) -> None:
    """The launcher, LXC's monitor, the container's init, or one of the app's processes."""
    running = one.setup().launch(by="vrun")
    time.sleep(dice.random() * 0.25)
    victims = [running.process.pid, *descendants(running.process.pid)]
    with suppress(ProcessLookupError):
        os.kill(dice.choice(victims), signal.SIGKILL)
    with suppress(ProcessLookupError):
        running.process.terminate()
    running.process.wait(20)


def kill_supervisord(one: Proc, dice: random.Random) -> None:
    conf = one.file.with_suffix(".conf")
    one.setup()
    conf.write_text(
        f"[supervisord]\nlogfile={conf}.log\npidfile={conf}.pid\nnodaemon=true\n"
        f"childlogdir={conf.parent}\n[program:app]\ncommand={one.paths.launcher}\nstartsecs=0\n"
    )
    killed(
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(conf)],
        one,
        0.4 + dice.random() * 0.6,
    )
    until(lambda: not one.processes(), "supervisord's container ends with it")


def killed(command: list[str], one: Proc, seconds: float) -> None:
    process = subprocess.Popen(
        command,
        env=one.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    process.wait()


def test_nothing_is_left_after_teardown_and_gc(folder: Path, base: dict[str, Any]) -> None:
    dice = random.Random(SEED)
    root = Root(folder / "apps")
    actions = (kill_in_setup, kill_in_teardown, kill_in_run, kill_in_run, kill_supervisord)
    for number in range(ROUNDS):
        action, kind = dice.choice(actions), dice.choice(KINDS)
        file = folder / f"{number}.yaml"
        file.write_text(yaml.safe_dump({**base, "version": f"v{number}", "port": 5900, **kind}))
        one = Proc(file, root, extra={"VR_PRIVATE_NETWORK": NETWORK})
        action(one, dice)
        done = one.vrun("teardown", "--wait", "10")
        story = f"round {number} of seed {SEED}: {action.__name__} {kind}"
        assert done.returncode == 0, f"{story}: {done.stderr}"
        assert left(folder) == [], story
    assert one.vrun_alone("gc").returncode == 0
    files = [path for path in root.path.rglob("*") if not path.is_dir()]
    assert {path.relative_to(root.path).parts[0] for path in files} <= {"locks"}, files
