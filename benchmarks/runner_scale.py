"""What many idle procs of one build cost on one host, beside their app."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from runner_workshop import Bench, run, timed

from vr.container import cgroups
from vr.specs.proc import load


def report_scale(bench: Bench, procs: int) -> None:
    """Many idle procs of one build: what each costs beside the app, a `sleep`."""
    files = [bench.proc(number) for number in range(100, 100 + procs)]
    setups = timed(lambda: [run(*bench.vrun("setup", str(file))) for file in files])
    launchers = [bench.root.proc(str(load(file).name)).launcher for file in files]
    begun = time.perf_counter()
    running = [
        subprocess.Popen([str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for path in launchers
    ]
    try:
        for process in running:
            assert process.stdout and process.stdout.readline() == b"ready\n"
        started = time.perf_counter() - begun
        names = [path.parent.name for path in launchers]
        apps = sum(pss(pid) for name in names for pid in app_of(name))
        runtime = sum(pss(pid) for process in running for pid in descendants(process.pid)) - apps
        kernel = sum(kernel_memory(name) for name in names)
    finally:
        for process in running:
            process.terminate()
        stopped = timed(lambda: [process.wait() for process in running])
    print(f"\n{procs} procs of one build")
    print(f"  setup of one             {setups / procs * 1e3:7.1f} ms")
    print(f"  start of all             {started:7.2f} s, {started / procs * 1e3:.1f} ms each")
    print(f"  stop of all              {stopped:7.2f} s")
    print(f"  the app itself           {apps / procs / 1e6:7.2f} MB each (PSS)")
    print(f"  launcher, LXC and shells {runtime / procs / 1e6:7.2f} MB each (PSS)")
    print(f"  kernel, as cgroups count {kernel / procs / 1e6:7.2f} MB each")
    total = (runtime + kernel) / procs / 1e6
    print(f"  all but the app          {total:7.2f} MB each (goal: at most 2; docker: 5.3)")


def descendants(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from descendants(int(child))


def kernel_memory(name: str) -> int:
    """Stacks, page tables and the rest of what the kernel holds for container and monitor."""
    total = 0
    for base in cgroups.host_bases():
        for kind in ("payload", "monitor"):
            group = base / f"lxc.{kind}.{name}"
            if (group / "memory.kmem.usage_in_bytes").exists():
                total += int((group / "memory.kmem.usage_in_bytes").read_text())
            elif (group / "memory.stat").exists():
                lines = (line.split() for line in (group / "memory.stat").read_text().splitlines())
                total += int(dict(lines).get("kernel", 0))
    return total


def app_of(name: str) -> list[int]:
    return [
        pid
        for pid in cgroups.processes(name)
        if Path(f"/proc/{pid}/comm").read_text().strip() == "sleep"
    ]


def pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
