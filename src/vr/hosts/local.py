"""This machine as a host."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
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
_PAGE_BYTES = 1000
# What a host's tools see of our environment. Not more: a proc.yaml may ask for any variable of
# the host by `$NAME`, and ours hold secrets.
_PASSED_ON = (
    *("PATH", "LANG", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE"),
    # Where volumes may and may not lie; who apps may and may not run as.
    *("VR_HOME", "VR_VOLUME_ROOTS", "VR_RUN_AS", "VR_HOST_UIDS"),
)


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
        try:
            done = subprocess.run(
                list(argv),
                input=b"" if input is None else input,
                capture_output=True,
                timeout=timeout,
                env=self._env(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _too_slow(argv, self.name, timeout) from None
        except OSError as error:
            raise _not_runnable(argv, self.name, error) from None
        return Result(done.returncode, done.stdout, done.stderr)

    def begin(self, argv: Sequence[str], *, timeout: float = 60) -> LocalCommand:
        return LocalCommand(self.name, argv, self._env(), timeout)

    def _env(self) -> dict[str, str]:
        env = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
        return env | {"HOME": "/root", "VR_ROOT": str(self.root.path)}

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

    def is_free(self, port: int) -> bool:
        return ports.is_free(port)

    def accepts(self, port: int) -> bool:
        return ports.answers(port, self.name, seconds=_CONNECT_SECONDS)

    def ask(self, port: int, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.name, port, timeout=_ANSWER_SECONDS)
        try:
            connection.connect()
            # Time-outs of sockets begin anew with each byte that comes.
            was_cut = threading.Event()
            limit = threading.Timer(_ANSWER_SECONDS, _cut, [connection.sock, was_cut])
            limit.daemon = True
            limit.start()
            try:
                connection.request("GET", path, headers={"User-Agent": "velociraptor-check"})
                answer = connection.getresponse()
                if was_cut.is_set():
                    # What was cut within its headers looks whole.
                    return 0, f"no answer within {_ANSWER_SECONDS:.0f} s"
                return _understood(answer)
            finally:
                limit.cancel()
        except (OSError, http.client.HTTPException) as error:
            return 0, f"no answer ({str(error) or type(error).__name__})"
        finally:
            connection.close()


class LocalCommand:
    """A command of this machine. What it says goes into files, so that no thread must read it."""

    def __init__(
        self, host: str, argv: Sequence[str], env: Mapping[str, str], timeout: float
    ) -> None:
        self._host = host
        self._argv = argv
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        with ExitStack() as files:
            self._said = [files.enter_context(tempfile.TemporaryFile()) for _ in range(2)]
            try:
                self._process = subprocess.Popen(
                    list(argv),
                    stdin=subprocess.DEVNULL,
                    stdout=self._said[0],
                    stderr=self._said[1],
                    env=env,
                )
            except OSError as error:
                raise _not_runnable(argv, host, error) from None
            self._files = files.pop_all()

    def poll(self) -> Result | None:
        status = self._process.poll()
        if status is None:
            if time.monotonic() > self._deadline:
                self._process.kill()
                self._process.wait()
                raise _too_slow(self._argv, self._host, self._timeout)
            return None
        for file in self._said:
            file.seek(0)
        return Result(status, *(file.read() for file in self._said))

    def close(self) -> None:
        self._files.close()


def _too_slow(argv: Sequence[str], host: str, seconds: float) -> VelociraptorError:
    return VelociraptorError(f"{Path(argv[0]).name} on {host} was not done after {seconds:.0f} s.")


def _not_runnable(argv: Sequence[str], host: str, error: OSError) -> VelociraptorError:
    return VelociraptorError(f"{argv[0]} can't be run on {host}: {error.strerror}")


def _cut(connection: socket.socket, was_cut: threading.Event) -> None:
    was_cut.set()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _understood(answer: http.client.HTTPResponse) -> tuple[int, str]:
    if 300 <= answer.status < 400:
        return answer.status, f"to {answer.getheader('Location')}"
    if answer.status < 400:
        return answer.status, ""
    said = b""
    # A status is known, whatever becomes of the page.
    with suppress(OSError, http.client.HTTPException):
        while len(said) < _PAGE_BYTES and (more := answer.read1(_PAGE_BYTES - len(said))):
            said += more
    return answer.status, said.decode(errors="replace").strip()
