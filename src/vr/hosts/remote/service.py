"""`python -m vr.hosts.remote.service`: answers the server on a host, over its stdin and stdout.

It does what it is asked with this machine's LocalConnection, each request in a thread of its own,
so that a long command delays no look. It ends with the connection; the kernel drops the locks
that it held, as it does for a worker that is killed.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Any

import vr
from vr.errors import VelociraptorError
from vr.hosts.connection import Command, LogReader
from vr.hosts.local import LocalConnection
from vr.hosts.remote import failures
from vr.hosts.remote.frames import PROTOCOL, BadFrame, Unpacker, pack
from vr.hosts.supervisor import Supervisor
from vr.paths import Root

_THREADS = 64
_PIECE = 1 << 16


class Service:
    """The methods that the server may call; arguments are text, bytes and numbers."""

    def __init__(self, host: LocalConnection) -> None:
        self._host = host
        self._numbers = count(1)
        self._held: dict[int, AbstractContextManager[object]] = {}
        self._logs: dict[int, LogReader] = {}
        self._commands: dict[int, Command] = {}

    def call(self, method: str, arguments: list[Any]) -> Any:
        """What the method returns; raises VelociraptorError for one that isn't known."""
        known: Callable[..., Any] | None = getattr(self, f"do_{method}", None)
        if known is None:
            raise VelociraptorError(
                f"The service on {self._host.name} knows no {method!r}.",
                hint=f"Its version is {vr.__version__}: upgrade it with `vr hosts upgrade`.",
            )
        return known(*arguments)

    def do_run(self, argv: list[str], input: bytes | None, timeout: float) -> list[Any]:
        result = self._host.run(argv, input=input, timeout=timeout)
        return [result.status, result.stdout, result.stderr]

    def do_begin(self, argv: list[str], timeout: float) -> int:
        number = next(self._numbers)
        self._commands[number] = self._host.begin(argv, timeout=timeout)
        return number

    def do_command_poll(self, number: int) -> list[Any] | None:
        result = self._commands[number].poll()
        return None if result is None else [result.status, result.stdout, result.stderr]

    def do_command_close(self, number: int) -> None:
        if command := self._commands.pop(number, None):
            command.close()

    def do_supervisor(self, method: str, arguments: list[Any]) -> Any:
        return self._host.supervisor.call(method, *arguments)

    def do_make_folder(self, path: str, mode: int) -> None:
        self._host.make_folder(Path(path), mode)

    def do_write(self, path: str, data: str, mode: int) -> None:
        self._host.write(Path(path), data, mode)

    def do_read(self, path: str) -> bytes | None:
        return self._host.read(Path(path))

    def do_tail(self, path: str, length: int) -> bytes:
        return self._host.tail(Path(path), length)

    def do_exists(self, path: str) -> bool:
        return self._host.exists(Path(path))

    def do_remove(self, path: str) -> None:
        self._host.remove(Path(path))

    def do_is_free(self, port: int) -> bool:
        return self._host.is_free(port)

    def do_accepts(self, port: int) -> bool:
        return self._host.accepts(port)

    def do_ask(self, port: int, path: str) -> list[Any]:
        return list(self._host.ask(port, path))

    def do_lock(self, path: str, wait: float) -> int:
        lock = self._host.lock(Path(path), wait=wait)
        lock.__enter__()
        number = next(self._numbers)
        self._held[number] = lock
        return number

    def do_unlock(self, number: int) -> None:
        if lock := self._held.pop(number, None):
            lock.__exit__(None, None, None)

    def do_follow(self, path: str, length: int) -> int:
        number = next(self._numbers)
        self._logs[number] = self._host.follow(Path(path), length)
        return number

    def do_log_read(self, number: int) -> bytes:
        return self._logs[number].read()

    def do_log_close(self, number: int) -> None:
        if log := self._logs.pop(number, None):
            log.close()


def serve(service: Service, name: str, source: int, sink: int) -> None:
    """Answer requests from the descriptor `source` at the descriptor `sink` until its end."""
    one_at_a_time = threading.Lock()

    def send(message: list[Any]) -> None:
        with one_at_a_time:
            left = memoryview(pack(message))
            while left:
                left = left[os.write(sink, left) :]

    def answer(number: int, method: str, arguments: list[Any]) -> None:
        try:
            try:
                send([number, service.call(method, arguments)])
            except (Exception, BadFrame) as error:
                send([number, None, failures.to_wire(error, name)])
        except OSError:
            # The server has gone; the end of `source` says so, too.
            return

    threads = ThreadPoolExecutor(_THREADS)
    send([0, {"protocol": PROTOCOL, "version": vr.__version__}])
    unpacker = Unpacker()
    while data := os.read(source, _PIECE):
        for number, method, arguments in unpacker.feed(data):
            threads.submit(answer, number, method, arguments)


def main() -> None:
    """Entry point; logs nothing, as stdout is the connection."""
    parser = argparse.ArgumentParser(prog="vr.hosts.remote.service")
    parser.add_argument("--name", required=True, help="what the server calls this host")
    parser.add_argument("--root", required=True, type=Path, help="the folder of its procs")
    parser.add_argument("--supervisor", required=True, help="the address of its Supervisor")
    parser.add_argument("--tools", required=True, type=Path, help="the folder of its commands")
    given = parser.parse_args()
    supervisor = Supervisor(given.name, given.supervisor)
    host = LocalConnection(given.name, Root(given.root), supervisor, given.tools)
    # Whatever prints must not reach the connection.
    sink = os.dup(1)
    os.dup2(2, 1)
    serve(Service(host), given.name, 0, sink)
    # Commands that still run end by themselves; threads that wait for them must not keep us.
    os._exit(0)


if __name__ == "__main__":
    main()
