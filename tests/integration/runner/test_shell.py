"""vrun shell: bash where the app lives."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Callable
from typing import Any

from support.waiting import until


def test_commands_from_stdin_run_in_the_apps_environment(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    one = proc(**build({"file": "x"}), cmd="true", env={"A": "it's"}, port=5007).setup()
    done = one.shell("id -u; pwd; ls; echo $A $PORT; touch /app/mine; exit 5\n")
    assert done.returncode == 5
    assert done.stdout == "65534\n/app\nfile\nit's 5007\n"
    assert not (one.paths.upper / "app/mine").exists()
    assert not any((one.paths.folder / "twins").iterdir())


def test_it_runs_beside_the_proc_with_a_layer_of_its_own(proc: Callable[..., Any]) -> None:
    one = proc(cmd="echo x >/app/by-proc; echo ready; sleep 1000").setup()
    running = one.launch()
    running.shows("ready")
    assert one.shell("ls /app").stdout == ""
    assert running.process.poll() is None


def test_on_a_terminal_it_is_interactive_with_job_control_and_a_prompt(
    proc: Callable[..., Any],
) -> None:
    one = proc(cmd="true").setup()
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        one.command("shell", str(one.file)),
        env={**one.environment, "TERM": "dumb"},
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    )
    os.close(inner)
    seen = b""

    def shows(text: bytes) -> bool:
        nonlocal seen
        if not select.select([outer], [], [], 0.1)[0]:
            return False
        try:
            seen += os.read(outer, 4096)
        except OSError:
            raise AssertionError(f"the shell ended too early: {seen!r}") from None
        return text in seen

    until(lambda: shows(b"shop-v0-cmd:/app$ "), "the prompt shows")
    os.write(outer, b"bash -c 'echo be''gun; exec sleep 1000'\n")
    until(lambda: shows(b"begun\r\n"), "the job runs")
    os.write(outer, b"\x1a")
    until(lambda: shows(b"Stopped"), "the job is stopped")
    os.write(outer, b"kill %1; exit 6\nexit 6\n")
    until(lambda: process.poll() is not None, "the shell ends")
    os.close(outer)
    assert process.returncode == 6
    assert b"no job control" not in seen
    assert not any((one.paths.folder / "twins").iterdir())
