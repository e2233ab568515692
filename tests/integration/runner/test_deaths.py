"""Nothing outlives a kill -9, whoever it hits; and the proc's log says why an app died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.processes import children
from support.supervisord import supervisord
from support.waiting import until
from vr.container.launch import guarded

READY = "trap '' TERM; echo ready; sleep 1000 & wait; wait"


@pytest.mark.parametrize("by", ["vrun run", "launcher"])
def test_a_killed_supervisord_takes_its_procs_with_it(
    proc: Callable[..., Any], tmp_path: Path, by: str
) -> None:
    one = proc(cmd=READY, stop_timeout=0.2).setup()
    log = tmp_path / "log"
    line = " ".join(one.command("run", str(one.file))) if by == "vrun run" else one.paths.launcher
    conf = tmp_path / "web.conf"
    settings = ",".join(f'{name}="{value}"' for name, value in one.environment.items())
    conf.write_text(
        f"[program:web]\ncommand={line}\nenvironment={settings}\n"
        f"stdout_logfile={log}\nredirect_stderr=true\nstartsecs=0\n"
    )
    with supervisord(tmp_path / "supervisor", str(conf)):
        until(lambda: log.exists() and "ready" in log.read_text(), "the app runs")
        pid = int((tmp_path / "supervisor/supervisord.pid").read_text())
        (launcher,) = children(pid)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not one.processes(), "the container is gone")
        until(lambda: not Path(f"/proc/{launcher}").exists(), "the launcher is gone")


def test_a_proc_started_by_hand_may_outlive_its_shell(proc: Callable[..., Any]) -> None:
    one = proc(cmd="echo ready; sleep 1000").setup()
    log = one.file.with_name("log")
    script = f'{one.paths.launcher} >{log} 2>&1 & echo "$!"'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    until(lambda: "ready" in log.read_text(), "the app runs")
    assert one.processes()
    os.kill(int(done.stdout), signal.SIGTERM)
    until(lambda: not one.processes(), "the container is gone")


def test_a_starter_that_died_before_the_guard_was_armed_starts_nothing(tmp_path: Path) -> None:
    made = tmp_path / "made"
    nobody = subprocess.Popen([sys.executable, "-c", "pass"])
    nobody.wait()
    argv = guarded(["touch", str(made)], tmp_path, nobody.pid)
    assert subprocess.run(argv).returncode == 1
    assert not made.exists()
    assert subprocess.run(guarded(["touch", str(made)], tmp_path, os.getpid())).returncode == 0
    assert made.exists()


def test_a_kill_at_any_moment_of_the_start_leaves_no_process(proc: Callable[..., Any]) -> None:
    one = proc(cmd="sleep 1000").setup()
    for milliseconds in range(0, 26, 2):
        running = one.launch()
        try:
            running.process.wait(milliseconds / 1000)
        except subprocess.TimeoutExpired:
            running.process.kill()
        running.process.wait(30)
        until(lambda: not one.processes(), "the container is gone")


def test_kills_for_want_of_memory_are_told(proc: Callable[..., Any]) -> None:
    eat = "python3 -c 'x = b\"x\" * 200_000_000'"
    main = proc(cmd=f"exec {eat}", mem_limit="32M", memsw_limit="32M").setup().launch()
    assert main.process.wait(30) == 137
    assert "out of memory: the kernel killed 1 process(es)" in main.output
    assert "32M" in main.output
    child = proc(cmd=f"{eat}; echo goes on", mem_limit="32M", memsw_limit="32M").setup().launch()
    assert child.process.wait(30) == 0
    assert "goes on" in child.output and "out of memory" in child.output
    fine = proc(cmd="echo fine", mem_limit="32M").setup().launch()
    assert fine.process.wait(30) == 0
    assert fine.output == "fine\n"


def test_an_uptest_that_needs_too_much_memory_says_so(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    script = "#!/usr/bin/env python3\nx = b'x' * 200_000_000\n"
    keys = {**build({"uptests/web/eat": script}), "proc_name": "web", "cmd": "true"}
    (result,) = proc(**keys, mem_limit="32M", memsw_limit="32M").setup().uptest()
    assert not result["Passed"] and "out of memory" in result["Output"]


def test_the_log_holds_what_the_app_says_and_nothing_of_ours(proc: Callable[..., Any]) -> None:
    one = proc(cmd="echo out; echo err >&2; exec sleep 1000").setup()
    running = one.launch()
    running.shows("err")
    assert running.stop() == 143
    assert sorted(running.output.split()) == ["err", "out"]


def test_a_container_that_cannot_start_says_why(proc: Callable[..., Any], tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    one = proc(cmd="true", volumes=[[str(data), "/data"]]).setup()
    data.rmdir()
    running = one.launch()
    assert running.process.wait(30) == 1
    assert f"vrun: LXC: lxc-execute: {one.name}" in running.output and str(data) in running.output
