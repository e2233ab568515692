"""Processes as the kernel tells of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.waiting import until
from vr.machine.processes import parent_of, process, send_signal


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose name looks like the end of its name and more fields."""
    program = tmp_path / "x) Z 1 2 ("
    shutil.copy("/bin/cat", program)
    with subprocess.Popen([program], stdin=subprocess.PIPE) as running:
        yield running
        running.kill()


def test_a_process_with_a_strange_name_is_read_right(child: subprocess.Popen[bytes]) -> None:
    found = until(lambda: (p := process(child.pid)) and p.state == "S" and p, "cat waits")

    assert found.parent == os.getpid()
    assert 0 < found.resident_bytes < 1 << 30
    assert not found.has_ended
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert 0 < found.started / os.sysconf("SC_CLK_TCK") <= uptime


def test_cpu_time_is_counted_in_seconds() -> None:
    until(lambda: time.process_time() > 0.1, "this process has worked a little")
    before = time.process_time()
    found = process(os.getpid())

    assert found
    # The kernel counts in ticks, and this process goes on.
    assert before - 0.1 < found.cpu_seconds < time.process_time() + 0.1


def test_a_process_that_nobody_collected_has_ended(child: subprocess.Popen[bytes]) -> None:
    assert send_signal(child.pid, signal.SIGKILL)
    until(lambda: (p := process(child.pid)) and p.has_ended, "the process is a zombie")


def test_there_is_no_process_any_more(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()

    assert process(child.pid) is None
    assert parent_of(child.pid) is None
    assert not send_signal(child.pid, signal.SIGTERM)
