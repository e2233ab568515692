"""Attempts to use up the host: each stops at its proc's limits, and the neighbour goes on."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.waiting import until
from vr.container.cgroups import host_bases
from vr.specs.limits import DEFAULTS, parse_limits

FORK_BOMB = """\
import os, time
made = 0
try:
    for _ in range(100_000):
        if not os.fork():
            time.sleep(1000)
        made += 1
except BlockingIOError:
    print("stopped at", made, flush=True)
"""
THREADS = """\
import threading, time
for _ in range(500):
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
"""
FILL = """\
import os, sys
written = 0
try:
    with open(sys.argv[1], "wb", buffering=0) as file:
        while written < 1 << 30:
            written += file.write(bytes(1 << 20))
except OSError as error:
    print(error.strerror, written >> 20, flush=True)
"""
INODES = """\
import os
try:
    for number in range(10_000_000):
        os.close(os.open(f"/tmp/{number}", os.O_CREAT))
except OSError as error:
    print(error.strerror, flush=True)
"""
DESCRIPTORS = """\
import os
opened = []
try:
    while True:
        opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(error.strerror, len(opened), flush=True)
"""


@pytest.fixture
def neighbour(proc: Callable[..., Any]) -> Iterator[Any]:
    """A proc that beats; it must still do so afterwards, as must the host's own programs."""
    one = proc(cmd="while :; do echo beat; sleep 0.1; done", mem_limit="64M").setup()
    running = one.launch()
    running.shows("beat")
    yield one
    beats = running.output.count("beat")
    until(lambda: running.output.count("beat") > beats, "the neighbour beats")
    assert shutil.which("true") and socket.gethostname()


def ended(one: Any, seconds: float = 60) -> tuple[int, str]:
    running = one.setup().launch()
    code = running.process.wait(seconds)
    return code, running.output


def test_a_fork_bomb(proc: Callable[..., Any], build: Callable[..., Any], neighbour: Any) -> None:
    keys = build({"bomb.py": FORK_BOMB})
    code, said = ended(proc(**keys, cmd="exec python3 bomb.py", pids_limit=64))
    assert code == 0
    assert 50 <= int(said.split()[2]) < 64


def test_threads_count_as_processes(
    proc: Callable[..., Any], build: Callable[..., Any], neighbour: Any
) -> None:
    keys = build({"bomb.py": THREADS})
    code, said = ended(proc(**keys, cmd="exec python3 bomb.py", pids_limit=32))
    assert code == 1 and "can't start new thread" in said


def test_a_memory_bomb(proc: Callable[..., Any], neighbour: Any) -> None:
    bomb = "exec python3 -c 'x = [bytes([n % 256]) * (1 << 20) for n in range(10_000)]'"
    code, said = ended(proc(cmd=bomb, mem_limit="64M", memsw_limit="64M"))
    assert code == 137 and "out of memory" in said and "64M" in said


def test_the_limits_that_a_server_sets_by_itself_hold_bombs(
    proc: Callable[..., Any], build: Callable[..., Any], neighbour: Any
) -> None:
    keys = {**build({"bomb.py": FORK_BOMB}), **parse_limits(DEFAULTS)}
    code, said = ended(proc(**keys, cmd="exec python3 bomb.py"))
    assert code == 0 and 480 <= int(said.split()[2]) < 512
    bomb = "exec python3 -c 'x = [bytes([n % 256]) * (1 << 20) for n in range(1_500)]'"
    code, said = ended(proc(**keys, cmd=bomb))
    assert code == 137 and "out of memory" in said and "1G" in said


def test_many_small_processes_with_much_memory_together(
    proc: Callable[..., Any], neighbour: Any
) -> None:
    one = "python3 -c 'import time; x = b\"x\" * (20 << 20); time.sleep(1)'"
    command = f"for n in 1 2 3 4 5 6 7 8; do {one} & done; wait; exit 0"
    _code, said = ended(proc(cmd=command, mem_limit="64M", memsw_limit="64M"))
    assert "out of memory" in said


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/dev"])
def test_filling_a_file_system_in_memory(
    proc: Callable[..., Any], build: Callable[..., Any], neighbour: Any, folder: str
) -> None:
    keys = {**build({"fill.py": FILL}), "tmp_size": "16M", "mem_limit": "256M"}
    code, said = ended(proc(**keys, cmd=f"exec python3 fill.py {folder}/x"))
    assert code == 0
    reason, megabytes = said.rsplit(maxsplit=1)
    assert reason in ("No space left on device", "Permission denied")
    assert int(megabytes) <= {"/tmp": 16, "/dev/shm": 64, "/dev": 0}[folder]


def test_filling_tmp_with_empty_files(
    proc: Callable[..., Any], build: Callable[..., Any], neighbour: Any
) -> None:
    keys = {**build({"fill.py": INODES}), "tmp_size": "4M", "mem_limit": "64M"}
    code, said = ended(proc(**keys, memsw_limit="64M", cmd="python3 fill.py"))
    assert (code, said) == (0, "No space left on device\n") or "out of memory" in said


def test_all_descriptors(
    proc: Callable[..., Any], build: Callable[..., Any], neighbour: Any
) -> None:
    keys = build({"open.py": DESCRIPTORS})
    code, said = ended(proc(**keys, cmd="exec python3 open.py", nofile=256))
    assert code == 0
    assert said.startswith("Too many open files") and int(said.split()[-1]) < 256


def test_all_of_the_cpu(proc: Callable[..., Any], neighbour: Any) -> None:
    busy = "for n in 1 2 3 4; do while :; do :; done & done; echo ready; wait"
    one = proc(cmd=busy, cpu_limit=0.2).setup()
    running = one.launch()
    running.shows("ready")
    accounts = [base / f"lxc.payload.{one.name}" / "cpu.stat" for base in host_bases()]
    # A hybrid host's v2 groups have such a file, too, but without the limit's line.
    (account,) = [a for a in accounts if a.exists() and "nr_throttled" in a.read_text()]
    until(lambda: "nr_throttled 0\n" not in account.read_text(), "the kernel holds it back")
    assert running.stop() == 143
