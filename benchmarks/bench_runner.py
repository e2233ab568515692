"""vrun beside the published original (vr.runners 4.0.0), plain tar, and Docker where it runs.

One build of 200 MB in 20,000 files and one image for all. The original works in a mount namespace
with an /apps of its own, from a virtual environment of its own, with its image already unpacked
(its own unpacking never ends on device nodes); its containers need LXC 2, so only its setup and
the start of its Python are measured. Run it as root: `python benchmarks/bench_runner.py`, with
`--procs 100` for the scale part as the issue states it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "src"), str(TOP / "tests")]

from support.images import test_image  # noqa: E402
from vr.container import cgroups  # noqa: E402
from vr.files.checksums import file_md5  # noqa: E402
from vr.files.pack import pack  # noqa: E402
from vr.files.unpack import unpack  # noqa: E402
from vr.paths import Root  # noqa: E402
from vr.specs.proc import load  # noqa: E402

FILES, MEGABYTES = 20_000, 200
ROUNDS = 15


@dataclass
class Bench:
    """The workshop: everything lies below `folder`, on one disk."""

    folder: Path
    build: Path
    image: Path

    @property
    def root(self) -> Root:
        return Root(self.folder / "apps")

    def proc(self, number: int, *, build: bool = True, **keys: object) -> Path:
        values = {
            "app_name": "bench",
            "version": "v1",
            "config_name": "test",
            "release_hash": f"{os.getpid():08x}",
            "proc_name": "web",
            "cmd": "echo ready; exec sleep 1000",
            "port": 7000 + number,
            "host": "localhost",
            "user": "nobody",
            "group": "nogroup",
            "env": {},
            "settings": {},
            "image_name": "bench",
            "image_url": str(self.image),
            "image_md5": file_md5(self.image),
            **({"build_url": str(self.build), "build_md5": file_md5(self.build)} if build else {}),
        }
        file = self.folder / f"proc{number}{'' if build else '-bare'}.yaml"
        file.write_text(yaml.safe_dump(values | keys))
        return file

    def vrun(self, *arguments: str) -> list[str]:
        return [str(self.folder / "vrun"), *arguments]


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


@contextmanager
def workshop() -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="vr-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        print(f"making a build of {MEGABYTES} MB in {FILES} files ...", flush=True)
        make_tree(folder / "tree")
        pack(folder / "tree", folder / "build.tar.gz")
        shutil.rmtree(folder / "tree")
        command = folder / "vrun"
        command.write_text(
            f"#!{sys.executable}\nimport os, sys\nsys.path.insert(0, {str(TOP / 'src')!r})\n"
            f"os.environ['VR_ROOT'] = {str(folder / 'apps')!r}\n"
            "from vr.runner.main import main\nmain()\n"
        )
        command.chmod(0o755)
        yield Bench(folder, folder / "build.tar.gz", test_image())
    finally:
        shutil.rmtree(folder)


def make_tree(tree: Path) -> None:
    """Half of it compresses well, as code does, half of it not, as pictures don't."""
    source = random.Random(1)
    for number in range(FILES):
        path = tree / f"{number % 200:03}" / f"{number:05}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        half = MEGABYTES * 500_000 // FILES
        path.write_bytes(source.randbytes(half) + (b"def name(self): return 1\n" * half)[:half])


def timed(action: Callable[[], object]) -> float:
    os.sync()  # earlier writes are not this one's business
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def run(*argv: str) -> None:
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


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


if __name__ == "__main__":
    main()
