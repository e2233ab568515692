"""From `vr swarm` to routed, step by step, beside a bare blue-green script without containers.

The yardstick starts the same two gunicorns from a virtual environment, waits for their ports,
rewrites an nginx upstream, reloads and stops the old ones: no container, no uptest, no
supervision, no record. Both run here, in this order, several times; medians are printed.
"""

from __future__ import annotations

import http.client
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))

from support.ports import free_port  # noqa: E402
from support.stack import Stack  # noqa: E402

ROUNDS = 7
PROCS = 2


def main() -> None:
    work = Path(tempfile.mkdtemp(prefix="vr-bench-"))
    try:
        repo = work / "shop"
        subprocess.run([str(TOP / "examples" / "make-repo"), str(repo)], check=True)
        ours, steps, app_start = measure_velociraptor(work, repo)
        theirs = measure_bare_script(work, repo)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    report(ours, steps, app_start, theirs)


def report(
    ours: list[float], steps: dict[str, list[float]], app_start: float, theirs: list[float]
) -> None:
    total, bare = statistics.median(ours), statistics.median(theirs)
    print(f"\nvr swarm to routed, existing release, {PROCS} procs, median of {len(ours)}:")
    for kind in ("release", "deploy", "start", "uptest", "route"):
        print(f"  {kind:<10} {statistics.median(steps[kind] or [0.0]):6.3f} s")
    counted = sum(statistics.median(steps[k] or [0.0]) for k in steps if k not in LATER)
    print(f"  {'the rest':<10} {total - counted:6.3f} s   (command, API, queue, planning)")
    print(f"  {'all in':<10} {total:6.3f} s   goal: under 2 s")
    print(f"  of it the app's own start: {app_start:.3f} s (measured outside of any container)")
    print(f"bare blue-green script, same app, no container, no uptest: {bare:.3f} s")
    print(f"ratio: {total / bare:.2f} × the bare script")


# Steps after the new version is routed.
LATER = ("drain", "retire")


def measure_velociraptor(
    work: Path, repo: Path
) -> tuple[list[float], dict[str, list[float]], float]:
    """Seconds until routed for each round; seconds by step; the app's own start."""
    stack = Stack(work / "stack", procs=100)
    seconds: list[float] = []
    steps: dict[str, list[float]] = defaultdict(list)
    try:
        stack.up()
        stack.vr("apps", "add", "shop", str(repo), "--stack", "debian12")
        stack.vr(
            *("swarms", "add", "shop", "web", "--config-name", "bench", "--tag", "v1"),
            *("--size", str(PROCS), "--squad", "local", "--pool", "shop"),
        )
        print("building v1 and v2 …", flush=True)
        stack.vr("swarm", "shop-bench-web", "v1")
        stack.vr("swarm", "shop-bench-web", "v2")
        for round_ in range(ROUNDS):
            version = "v1" if round_ % 2 == 0 else "v2"
            started = time.monotonic()
            swarming = subprocess.Popen(
                ["vr", "swarm", "shop-bench-web", version, "--json"],
                env=stack.env,
                stdout=subprocess.PIPE,
                text=True,
            )
            while stack.version("shop") != version:
                time.sleep(0.005)
            seconds.append(time.monotonic() - started)
            output, _ = swarming.communicate()
            assert swarming.returncode == 0, output
            for step in stack.json("dispatches", "shop-bench-web", "--last"):
                steps[step["kind"]].append(step["seconds"])
            print(f"  round {round_ + 1}: {seconds[-1]:.3f} s", flush=True)
    finally:
        stack.remove()
    return seconds, steps, app_start_seconds(work, repo)


@contextmanager
def gunicorns(venv: Path, checkout: Path, ports: list[int]) -> Iterator[None]:
    """The example app on each of the ports, ready."""
    running = [
        subprocess.Popen(
            [str(venv / "bin" / "gunicorn"), "--config", "gunicorn.conf.py", "shop:app"],
            cwd=checkout,
            env={"PORT": str(port), "PATH": f"{venv}/bin:/usr/bin:/bin"},
            stderr=subprocess.DEVNULL,
        )
        for port in ports
    ]
    try:
        for port in ports:
            wait_until_serving(port)
        yield
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait()


def wait_until_serving(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    raise SystemExit(f"nothing serves on port {port}")


def make_venv(work: Path, repo: Path) -> Path:
    """A virtual environment with the app's requirements, and a checkout beside it."""
    venv = work / "venv"
    if not venv.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run(
            [str(venv / "bin" / "pip"), "install", "-q", "-r", str(repo / "requirements.txt")],
            check=True,
        )
    return venv


def app_start_seconds(work: Path, repo: Path) -> float:
    """Median time of the app from its exec to its first answer, two at once as in a swarm."""
    venv = make_venv(work, repo)
    seconds = []
    for _ in range(3):
        ports = [free_port() for _ in range(PROCS)]
        started = time.monotonic()
        with gunicorns(venv, repo, ports):
            seconds.append(time.monotonic() - started)
    return statistics.median(seconds)


def measure_bare_script(work: Path, repo: Path) -> list[float]:
    """The yardstick's seconds until nginx serves from the new gunicorns, for each round."""
    venv = make_venv(work, repo)
    conf, listen = work / "nginx.conf", free_port()

    def write(ports: list[int]) -> None:
        servers = "".join(f"server 127.0.0.1:{port};" for port in ports)
        conf.write_text(
            f"pid {work}/nginx.pid; error_log {work}/nginx.log; events {{}}\n"
            f"http {{ access_log off; client_body_temp_path {work}/b; proxy_temp_path {work}/p;\n"
            f"fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;\n"
            f"upstream shop {{ {servers} }}\n"
            f"server {{ listen 127.0.0.1:{listen}; add_header X-Ports {'-'.join(map(str, ports))};"
            f"location / {{ proxy_pass http://shop; }} }} }}\n"
        )

    def served_by() -> str:
        connection = http.client.HTTPConnection("127.0.0.1", listen, timeout=2)
        connection.request("GET", "/health")
        return connection.getresponse().headers.get("X-Ports", "")

    seconds = []
    nginx = ["nginx", "-c", str(conf), "-e", f"{work}/nginx.log"]
    with gunicorns(venv, repo, ports := [free_port() for _ in range(PROCS)]):
        write(ports)
        subprocess.run(nginx, check=True)
        try:
            for _ in range(ROUNDS):
                started = time.monotonic()
                with gunicorns(venv, repo, ports := [free_port() for _ in range(PROCS)]):
                    write(ports)
                    subprocess.run([*nginx, "-s", "reload"], check=True)
                    while served_by() != "-".join(map(str, ports)):
                        time.sleep(0.005)
                    seconds.append(time.monotonic() - started)
        finally:
            subprocess.run([*nginx, "-s", "stop"], check=True)
    return seconds


if __name__ == "__main__":
    main()
