"""The pilot beside a Python that sleeps: start, memory, CPU, reaction to a backend's change.

bench_pilot.py [--full]     --full measures longer, also with 1 and 50 services

The yardstick is `python3 -S` with one line. Consul, the health checks (`true`) and the pilot run
on this machine; the CPU of the checks themselves is not the pilot's and not counted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))

from support.consul_agent import ConsulAgent  # noqa: E402
from support.waiting import until  # noqa: E402
from vr.machine.processes import process  # noqa: E402

PYTHON = "/usr/bin/python3"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    full = parser.parse_args().full
    if shutil.which("consul") is None:
        sys.exit("error: these measures need Consul; bin/install-consul installs it")
    with tempfile.TemporaryDirectory(prefix="vr-bench-") as folder:
        pilot = Path(folder) / "containerpilot.pyz"
        # With the Python that runs it, as a released file would be for its image.
        subprocess.run([PYTHON, TOP / "bin/make-pilot", pilot], check=True, capture_output=True)
        agent = ConsulAgent(Path(folder) / "consul")
        try:
            agent.start()
            measure_start(pilot, agent, rounds=50 if full else 15)
            for services in (1, 10, 50) if full else (10,):
                measure_load(pilot, agent, services, seconds=60 if full else 10)
            for services in (1, 10, 50) if full else (10,):
                measure_reaction(pilot, agent, services, rounds=20 if full else 5)
        finally:
            agent.stop()


def config(agent: ConsulAgent, services: int, **fields: Any) -> str:
    each = {"interfaces": "lo", "poll": 1, "ttl": 10, "health": "true"}
    listed = [{**each, "name": f"s{n}", "port": 8000 + n} for n in range(services)]
    return json.dumps({"consul": agent.address, "services": listed, **fields})


def measure_start(pilot: Path, agent: ConsulAgent, rounds: int) -> None:
    """From exec to the application's first words."""
    app = ["date", "+%s.%N"]
    pilots = [PYTHON, str(pilot), "-config", config(agent, 10), *app]
    bare = [PYTHON, "-S", "-c", "import time; print(time.time())"]
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(first_words(pilots))
        theirs.append(first_words(bare))
    print(f"\nstart to the application's first line, 10 services, median of {rounds}:")
    compare(statistics.median(ours) * 1000, statistics.median(theirs) * 1000, "ms", "60 ms")


def first_words(argv: list[str]) -> float:
    started = time.time()
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[0]) - started


def measure_load(pilot: Path, agent: ConsulAgent, services: int, seconds: int) -> None:
    """Resident memory, and the CPU of an hour with every service checked each second."""
    bare = subprocess.Popen([PYTHON, "-S", "-c", f"import time; time.sleep({seconds + 60})"])
    process = start(pilot, config(agent, services))
    try:
        until(
            lambda: sum(c["Status"] == "passing" for c in checks(agent)) >= services,
            "all services are passing",
        )
        before = cpu_seconds(process.pid)
        time.sleep(seconds)
        an_hour = (cpu_seconds(process.pid) - before) / seconds * 3600
        print(f"\n{services} services checked every second, over {seconds} s:")
        compare(resident(process.pid), resident(bare.pid), "MB", "20 MB")
        print(f"  CPU of the pilot: {an_hour:.1f} s an hour ({an_hour / 60:.2f} s a minute)")
    finally:
        stop(process)
        stop(bare)


def measure_reaction(pilot: Path, agent: ConsulAgent, services: int, rounds: int) -> None:
    """From a backend's change in Consul to `onChange`; half of `poll` is waiting by design."""
    with tempfile.TemporaryDirectory(prefix="vr-bench-") as folder:
        told = Path(folder) / "told"
        backend = {"name": "db", "poll": 1, "onChange": ["sh", "-c", f"date +%s.%N >> {told}"]}
        process = start(pilot, config(agent, services, backends=[backend]))
        try:
            seconds = [react(agent, told, round_) for round_ in range(rounds)]
        finally:
            stop(process)
            agent.put("/v1/agent/service/deregister/db")
    print(f"\na backend's change to onChange, poll 1 s, {services} services, {rounds} changes:")
    print(f"  median {statistics.median(seconds):.3f} s, longest {max(seconds):.3f} s")


def react(agent: ConsulAgent, told: Path, round_: int) -> float:
    changed = time.time()
    agent.put("/v1/agent/service/register", {"ID": "db", "Name": "db", "Port": 9000 + round_})

    def lines() -> list[str]:
        return told.read_text().split() if told.exists() else []

    until(lambda: len(lines()) > round_, "onChange was run")
    # Another moment of the pilot's second each time.
    time.sleep(0.37)
    return float(lines()[round_]) - changed


def start(pilot: Path, text: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [PYTHON, pilot, "-config", text, "sleep", "3600"], stdout=subprocess.DEVNULL
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(20)


def checks(agent: ConsulAgent) -> list[dict[str, Any]]:
    return list(agent.get("/v1/agent/checks").values())


def cpu_seconds(pid: int) -> float:
    found = process(pid)
    assert found, f"process {pid} has ended"
    return found.cpu_seconds


def resident(pid: int) -> float:
    """In MB of 1024 kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def compare(ours: float, theirs: float, unit: str, goal: str) -> None:
    print(f"  the pilot {ours:.1f} {unit}, python3 -S {theirs:.1f} {unit}: ", end="")
    print(f"{ours / theirs:.1f} times; goal: under {goal}")


if __name__ == "__main__":
    main()
