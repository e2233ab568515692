"""vrun beside the published original (vr.runners 4.0.0), plain tar, and Docker where it runs.

One build of 200 MB in 20,000 files and one image for all. The original works in a mount namespace
with an /apps of its own, from a virtual environment of its own, with its image already unpacked
(its own unpacking never ends on device nodes); its containers need LXC 2, so only its setup and
the start of its Python are measured. Run it as root: `python benchmarks/bench_runner.py`, with
`--procs 100` for the whole of the scale part.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from runner_scale import report_scale
from runner_workshop import Bench, run, timed, workshop

from vr.files.unpack import unpack
from vr.specs.proc import load

ROUNDS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--procs", type=int, default=20, help="how many for the scale part")
    parser.add_argument("--original", type=Path, help="its virtual environment, made if missing")
    arguments = parser.parse_args()
    with workshop() as bench:
        own = measure_setups(bench)
        plain = measure_tar(bench)
        original = measure_original(bench, arguments.original or bench.folder / "original")
        report_setups(own, plain, original)
        report_starts(bench, original)
        report_scale(bench, arguments.procs)


def disk_use(folder: Path) -> int:
    done = subprocess.run(["du", "-s", "-B1", str(folder)], capture_output=True, text=True)
    return int(done.stdout.split()[0])


@dataclass
class Setups:
    first: float
    """Seconds, with the build to be unpacked."""
    tenth: float
    one: int
    """Bytes on disk for one proc, without the image."""
    ten: int


def measure_setups(bench: Bench) -> Setups:
    run(*bench.vrun("setup", str(bench.proc(0, build=False))))  # unpacks the image
    before = disk_use(bench.root.path)
    first = timed(lambda: run(*bench.vrun("setup", str(bench.proc(1)))))
    one = disk_use(bench.root.path) - before
    files = [bench.proc(number) for number in range(2, 11)]
    rest = [timed(lambda file=file: run(*bench.vrun("setup", str(file)))) for file in files]
    return Setups(first, statistics.median(rest), one, disk_use(bench.root.path) - before)


def measure_tar(bench: Bench) -> float:
    target = bench.folder / "plain"
    times = []
    for _ in range(3):
        target.mkdir()
        times.append(timed(lambda: run("tar", "-xzf", str(bench.build), "-C", str(target))))
        shutil.rmtree(target)
    return statistics.median(times)


@dataclass
class Original:
    setups: Setups
    python: float
    """Seconds of its program until it prints its version."""


def measure_original(bench: Bench, venv: Path) -> Original | None:
    if not (venv / "bin/vrun").exists() and not install_original(venv):
        print("the original can't be installed here; its columns are left out")
        return None
    apps = bench.folder / "original-apps"
    (apps / "builds").mkdir(parents=True)
    (apps / "lxc").mkdir()
    shutil.copy(bench.build, apps / "builds")
    (apps / "images/bench").mkdir(parents=True)
    unpack(bench.image, apps / "images/bench/contents", kind="image")
    # It knows no other place than /apps, and registers its containers in /var/lib/lxc.
    script = f'mount --bind {apps} /apps && mount --bind {apps}/lxc /var/lib/lxc && exec "$@"'
    made = not Path("/apps").exists()
    Path("/apps").mkdir(exist_ok=True)
    inside = ("unshare", "--mount", "/bin/sh", "-c", script, "in")

    def setup(number: int) -> None:
        file = bench.proc(number, image_url=f"http://localhost/{bench.image.name}")
        run(*inside, str(venv / "bin/vrun"), "setup", str(file))

    try:
        before = disk_use(apps)
        first = timed(lambda: setup(1))
        one = disk_use(apps) - before
        rest = [timed(lambda number=number: setup(number)) for number in (2, 3)]
        ten = one + 9 * (disk_use(apps) - before - one) // 2  # two more of them tell enough
    finally:
        shutil.rmtree(apps)
        if made:
            Path("/apps").rmdir()
    version = [timed(lambda: run(str(venv / "bin/vrun"), "--version")) for _ in range(5)]
    setups = Setups(first, statistics.median(rest), one, ten)
    return Original(setups, statistics.median(version))


def install_original(venv: Path) -> bool:
    wanted = ("setuptools<81", "path<16.12", "vr.runners==4.0.0")
    commands = (
        [sys.executable, "-m", "venv", str(venv)],
        [str(venv / "bin/pip"), "install", "--quiet", *wanted],
    )
    return all(subprocess.run(command, check=False).returncode == 0 for command in commands)


def report_setups(own: Setups, plain: float, original: Original | None) -> None:
    print(f"\n{'setup':<34}{'vrun':>10}{'original':>10}{'tar -xzf':>10}")
    theirs = original.setups if original else None
    row("first, unpacking the build, s", own.first, theirs and theirs.first, plain)
    row("tenth of the same build, s", own.tenth, theirs and theirs.tenth, None)
    row("disk of one proc, MB", own.one / 1e6, theirs and theirs.one / 1e6, None)
    row("disk of ten procs, MB", own.ten / 1e6, theirs and theirs.ten / 1e6, None)
    print(f"  first / tar: {own.first / plain:.2f} (goal: at most 1.3)")
    print(f"  disk of ten / one: {own.ten / own.one:.3f} (goal: at most 1.1)")
    if theirs:
        print(f"  original / vrun, first: {theirs.first / own.first:.1f} (goal: at least 2)")
        print(f"  original / vrun, tenth: {theirs.tenth / own.tenth:.0f} (goal: at least 40)")


def row(title: str, own: float, original: float | None, plain: float | None) -> None:
    cells = "".join("          " if cell is None else f"{cell:10.3f}" for cell in (original, plain))
    print(f"{title:<34}{own:10.3f}{cells}")


def report_starts(bench: Bench, original: Original | None) -> None:
    file = bench.proc(1)
    run(*bench.vrun("setup", str(file)))  # the file is new, if only by its time
    launcher = bench.root.proc(str(load(file).name)).launcher
    run_line, run_least, run_stop = start_times(bench.vrun("run", str(file)))
    line, least, stop = start_times([str(launcher)], SUPERVISOR_ENABLED="1")
    print(f"\nto the app's first line, ms, median of {ROUNDS} (least)")
    print(f"  vrun run                 {run_line:7.1f} ({run_least:.1f}); goal: at most 60")
    print(f"  launcher, as Supervisor  {line:7.1f} ({least:.1f}); aim: 20")
    print(f"  from TERM to the end     {run_stop:7.1f}, {stop:.1f}")
    if original:
        print(f"  original, Python alone   {original.python * 1e3:7.1f}")
    docker = docker_time()
    if docker is None:
        print("  docker run --net=host          -   (no Docker daemon can be reached here)")
    else:
        print(f"  docker run --net=host    {docker:7.1f}")


def start_times(argv: list[str], **env: str) -> tuple[float, float, float]:
    """Milliseconds: from the start to the first line, median and least; from TERM to the end."""
    os.sync()  # what was unpacked before is not to be written meanwhile
    lines, stops = [], []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        with subprocess.Popen(
            argv, env=os.environ | env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout and process.stdout.readline() == b"ready\n"
            seen = time.perf_counter()
            process.terminate()
            process.wait()
        lines.append(seen - begun)
        stops.append(time.perf_counter() - seen)
    return statistics.median(lines) * 1e3, min(lines) * 1e3, statistics.median(stops) * 1e3


def docker_time() -> float | None:
    if not shutil.which("docker"):
        return None
    argv = ["docker", "run", "--rm", "--net=host", "debian:12", "echo", "ready"]
    if subprocess.run(argv, capture_output=True, check=False).returncode:
        return None
    return statistics.median(timed(lambda: run(*argv)) for _ in range(5)) * 1e3


if __name__ == "__main__":
    main()
