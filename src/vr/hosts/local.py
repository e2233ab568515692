"""This machine as a host."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from vr.errors import VelociraptorError
from vr.files.atomic import write_atomic
from vr.files.locks import Lock
from vr.hosts import local_log
from vr.hosts.connection import LOCK_SECONDS, LogReader, Result
from vr.hosts.supervisor import Supervisor
from vr.machine import ports
from vr.paths import Root

_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 10.0
# What a host's tools see of our environment. Not more: a proc.yaml may ask for any variable of
# the host by `$NAME`, and ours hold secrets.
_PASSED_ON = ("PATH", "LANG", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")


class LocalConnection:
    """The HostConnection of the machine that the worker runs on."""

    def __init__(self, name: str, root: Root, supervisor: Supervisor, tools: Path) -> None:
        self.name = name
        self.root = root
        self.supervisor = supervisor
        self._tools = tools

    def run(
        self, argv: Sequence[str], *, input: bytes | None = None, timeout: float = 60
    ) -> Result:
        env = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
        env |= {"HOME": "/root", "VR_ROOT": str(self.root.path)}
        try:
            done = subprocess.run(
                list(argv),
                input=b"" if input is None else input,
                capture_output=True,
                timeout=timeout,
                env=env,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise VelociraptorError(
                f"{Path(argv[0]).name} on {self.name} was not done after {timeout:.0f} s."
            ) from None
        except OSError as error:
            raise VelociraptorError(
                f"{argv[0]} can't be run on {self.name}: {error.strerror}"
            ) from None
        return Result(done.returncode, done.stdout, done.stderr)

    def tool(self, name: str) -> str:
        return str(self._tools / name)

    def make_folder(self, path: Path, mode: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=mode, exist_ok=True)

    def write(self, path: Path, data: str, mode: int) -> None:
        write_atomic(path, data, mode=mode)

    def read(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        # The last for a process that ended while its files in /proc were read.
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            return None

    def tail(self, path: Path, length: int) -> bytes:
        return local_log.tail(path, length)

    def follow(self, path: Path, length: int) -> LogReader:
        return local_log.FollowedLog(path, length)

    def exists(self, path: Path) -> bool:
        return path.exists()

    def remove(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=False)
        else:
            path.unlink(missing_ok=True)

    def lock(self, path: Path, *, wait: float = LOCK_SECONDS) -> AbstractContextManager[object]:
        return Lock(path, wait=wait)

    def url_of(self, file: Path, link: Callable[[], str]) -> str:
        return str(file)

    def is_free(self, port: int) -> bool:
        return ports.is_free(port)

    def accepts(self, port: int) -> bool:
        return ports.answers(port, self.name, seconds=_CONNECT_SECONDS)

    def ask(self, port: int, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.name, port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", path, headers={"User-Agent": "velociraptor-check"})
            return connection.getresponse().status, ""
        except (OSError, http.client.HTTPException) as error:
            return 0, f"no answer ({error or type(error).__name__})"
        finally:
            connection.close()
