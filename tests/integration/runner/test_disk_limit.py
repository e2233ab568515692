"""disk_limit: a full writable layer is the app's own problem, and leaves nothing on the host."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.waiting import until

FILL = "dd if=/dev/zero of=/app/big bs=1M count=200 2>&1 | grep -o 'No space left on device'"


def mounts_of(pid: int) -> str:
    return Path(f"/proc/{pid}/mounts").read_text()


def loop_devices(file: Path) -> str:
    done = subprocess.run(["losetup", "-j", str(file)], capture_output=True, text=True, check=True)
    return done.stdout


def on_disk(file: Path) -> int:
    return file.stat().st_blocks * 512


def test_an_app_fills_its_own_layer_only(proc: Callable[..., Any]) -> None:
    command = f"touch /app/own && {FILL}; stat -c %s /app/big; rm /app/big; sync -f /app"
    one = proc(cmd=command, disk_limit="32M")
    running = one.setup().launch()
    assert running.process.wait(30) == 0, running.output
    reason, size = running.output.splitlines()
    assert reason == "No space left on device"
    assert 16 << 20 < int(size) < 32 << 20
    disk = one.paths.folder / "disk.ext4"
    assert loop_devices(disk) == ""
    assert on_disk(disk) < 16 << 20, "what the app has removed was given back to the host"


def test_what_the_app_wrote_stays_until_the_next_setup(proc: Callable[..., Any]) -> None:
    one = proc(cmd="ls /app; touch /app/kept", disk_limit="16M").setup()
    said = []
    for _ in range(2):
        running = one.launch()
        assert running.process.wait(30) == 0
        said.append(running.output)
    assert said == ["", "kept\n"]
    assert "kept" not in one.shell("ls /app").stdout, "a shell has a layer of its own"
    running = one.setup().launch()
    assert (running.process.wait(30), running.output) == (0, "")


def test_a_killed_container_leaves_neither_mount_nor_device(proc: Callable[..., Any]) -> None:
    one = proc(cmd="echo ready; sleep 1000", disk_limit="16M").setup()
    disk = one.paths.folder / "disk.ext4"
    for victim in ("launcher", "container"):
        running = one.launch()
        running.shows("ready")
        inside = max(one.processes())
        assert str(disk.parent) not in mounts_of(os.getpid())
        assert loop_devices(disk)
        os.kill(running.process.pid if victim == "launcher" else inside, signal.SIGKILL)
        running.process.wait(30)
        until(lambda: not one.processes() and not loop_devices(disk), "all is gone")


def test_a_limit_comes_and_goes_with_the_file(proc: Callable[..., Any]) -> None:
    one = proc(cmd="true").setup()
    one.change(disk_limit="16M")
    one.setup()
    assert not one.paths.upper.exists()
    one.change(disk_limit=None)
    one.setup()
    assert {path.name for path in one.paths.folder.iterdir()} & {"disk", "disk.ext4"} == set()
    assert one.launch().process.wait(30) == 0
