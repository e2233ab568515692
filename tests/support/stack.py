"""A whole Velociraptor of a test's own: private folders, private ports, nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.big_folders import big_folder
from support.ports import free_port, port_range
from vr.settings.readers import ports_text

BIN = Path(sys.executable).parent
TOP = Path(__file__).resolve().parents[2]


class Stack:
    """`vr up` in folders below `home`; its commands run as a user would run them."""

    def __init__(self, home: Path, *, procs: int = 20) -> None:
        self.home = home
        self.root = home / "apps"
        self.web_port = free_port()
        self.http_port = free_port()
        # Nothing of the developer's own installation, or of other tests, must reach this one.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("VR_")}
        self.env = {
            **inherited,
            "VR_HOME": str(home / "vr"),
            "VR_ROOT": str(self.root),
            "VR_WEB_PORT": str(self.web_port),
            "VR_HTTP_PORT": str(self.http_port),
            "VR_SETTLE_SECONDS": "1",
            "VR_PORT_RANGE": ports_text(port_range(procs)),
            "PATH": f"{BIN}:{os.environ['PATH']}",
        }

    def use_code_of_its_own(self) -> Path:
        """From now on the stack is started from a copy of the source, which a test may change:
        gives the copy's package."""
        top = self.home / "code"
        package = top / "src" / "vr"
        shutil.copytree(TOP / "src" / "vr", package)
        for name in ("buildpacks", "examples", "stack"):
            (top / name).symlink_to(TOP / name)
        self.env["PYTHONPATH"] = str(package.parent)
        return package

    def vr(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `vr` with these arguments, output captured."""
        done = subprocess.run(
            [str(BIN / "vr"), *arguments],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if check:
            assert done.returncode == 0, (
                f"vr {' '.join(arguments)} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def json(self, *arguments: str) -> Any:
        """What `vr … --json` prints."""
        return json.loads(self.vr(*arguments, "--json").stdout)

    def up(self) -> None:
        self.vr("up")

    def down(self) -> None:
        self.vr("down")

    def status(self) -> Any:
        return json.loads(self.vr("status", "--json", check=False).stdout)

    def pid_of(self, part: str) -> int:
        """The pid of a running program of supervisord."""
        for one in self.status()["parts"]:
            if one["name"] == part and one["state"] == "RUNNING":
                return int(one["description"].split(",")[0].removeprefix("pid "))
        raise AssertionError(f"{part} does not run: {self.status()}")

    def pool_nodes(self, pool: str) -> list[str]:
        """The nodes that nginx routes `pool` to."""
        path = self.home / "vr" / "etc" / "pools" / f"{pool}.conf"
        if not path.exists():
            return []
        lines = path.read_text().split("}")[0].splitlines()
        return sorted(
            line.split()[1].rstrip(";") for line in lines if line.strip().startswith("server ")
        )

    def get(self, pool: str, path: str = "/") -> tuple[int, str]:
        """Status and body of a page fetched through the balancer."""
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": f"{pool}.localhost"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def version(self, pool: str) -> str:
        """The version of the example shop that answers behind the balancer."""
        status, body = self.get(pool, "/health")
        assert status == 200, f"{status}: {body}"
        return str(json.loads(body)["version"])

    def procs(self) -> list[str]:
        """Names of the deployed procs that supervisord knows."""
        parts = {
            "redis",
            "web",
            "worker",
            "builder",
            "beat",
            "nginx",
            "proc_publisher",
            "nats",
            "stager",
        }
        return sorted(p["name"] for p in self.status()["parts"] if p["name"] not in parts)

    def proc_folders(self) -> list[str]:
        return sorted(path.name for path in (self.root / "procs").iterdir())

    def leftovers(self) -> list[str]:
        """Processes, mounts and cgroups that still belong to this stack."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                environment = (folder / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(self.home) in command or f"VR_HOME={self.env['VR_HOME']}" in environment:
                found.append(f"process {folder.name}: {command}")
        found += [
            f"mount {line.split()[1]}"
            for line in Path("/proc/mounts").read_text().splitlines()
            if str(self.home) in line
        ]
        return found

    def remove(self) -> None:
        """Stop what runs, and delete the folders."""
        self.vr("down", check=False)
        shutil.rmtree(self.home, ignore_errors=True)


@contextmanager
def running_stack(*, procs: int = 20, **env: str) -> Iterator[Stack]:
    """A stack that is up, with these variables; afterwards it is down, with nothing left."""
    one = Stack(big_folder("vr-e2e-"), procs=procs)
    one.env |= env
    try:
        one.up()
        yield one
        one.down()
        assert one.leftovers() == []
    finally:
        one.remove()
