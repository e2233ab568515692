"""One open connection to the service on a host: many calls at once, over one SSH session.

sshd allows ten sessions for a connection, and each new one costs a round trip and a process.
"""

from __future__ import annotations

import asyncio
import contextlib
from itertools import count
from typing import Any

import asyncssh

from vr.hosts.remote import failures
from vr.hosts.remote.address import SshAddress
from vr.hosts.remote.frames import PROTOCOL, BadFrame, Unpacker, pack
from vr.hosts.remote.ssh import open_connection
from vr.hosts.supervisor import HostUnreachable

_PIECE = 1 << 16
_HELLO_SECONDS = 15.0
_SAID_BYTES = 2000


class Channel:
    """The service of one host, called from one event loop."""

    def __init__(self, to: SshAddress, connection: asyncssh.SSHClientConnection) -> None:
        self.held = 0
        """Locks and logs that are open over there: they go with the channel."""
        self.version = ""
        self._to = to
        self._connection = connection
        self._process: asyncssh.SSHClientProcess[bytes] | None = None
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._said = b""
        self._lost: HostUnreachable | None = None
        self._readers: list[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, to: SshAddress) -> Channel:
        """Connect and start the service; raises HostUnreachable."""
        channel = cls(to, await open_connection(to))
        try:
            await channel._start()
        except BaseException:
            channel.close()
            raise
        return channel

    @property
    def is_open(self) -> bool:
        return self._lost is None

    @property
    def is_idle(self) -> bool:
        """Nobody waits for an answer, and nothing is held open."""
        return not self._waiting and not self.held

    async def call(self, method: str, arguments: list[Any], seconds: float) -> Any:
        """What the method returns on the host, within `seconds`.

        Raises the host's VelociraptorError, or HostUnreachable when there is no answer: whether
        it was done is unknown then.
        """
        if self._lost is not None:
            raise self._lost
        assert self._process is not None
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._process.stdin.write(pack([number, method, arguments]))
            async with asyncio.timeout(seconds):
                await self._process.stdin.drain()
                return await answer
        except TimeoutError:
            raise HostUnreachable(
                f"{self._to.name} has not answered within {seconds:.0f} s: whether it did what "
                "it was asked is unknown."
            ) from None
        except (OSError, asyncssh.Error) as error:
            raise self._lose(str(error)) from None
        finally:
            self._waiting.pop(number, None)

    def close(self) -> None:
        """End the connection; whoever still waits is told that it was lost."""
        self._lose("the connection was closed")
        for reader in self._readers:
            reader.cancel()
        self._connection.abort()

    async def _start(self) -> None:
        try:
            self._process = await self._connection.create_process(self._to.service, encoding=None)
        except (OSError, asyncssh.Error) as error:
            raise self._lose(str(error)) from None
        hello: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[0] = hello
        self._readers = [
            asyncio.create_task(self._read(self._process.stdout)),
            asyncio.create_task(self._listen(self._process.stderr)),
        ]
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                said = await hello
        except TimeoutError:
            raise self._lose(f"no answer within {_HELLO_SECONDS:.0f} s") from None
        finally:
            self._waiting.pop(0, None)
        self.version = str(said.get("version", ""))
        if said.get("protocol") != PROTOCOL:
            raise HostUnreachable(
                f"The service on {self._to.name} is of version {self.version or 'unknown'} and "
                "does not understand this server.",
                hint=f"Its procs run on. Upgrade it: vr hosts upgrade {self._to.name}",
            )

    async def _read(self, stream: asyncssh.SSHReader[bytes]) -> None:
        unpacker = Unpacker()
        why = "the service ended"
        try:
            while data := await stream.read(_PIECE):
                for number, *rest in unpacker.feed(data):
                    self._settle(number, rest)
        except (OSError, asyncssh.Error, BadFrame) as error:
            why = str(error) or type(error).__name__
        # What it says about its end comes beside it.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.wait(self._readers[1:])
        self._lose(why)
        self._connection.abort()

    def _settle(self, number: int, rest: list[Any]) -> None:
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return
        if len(rest) > 1:
            answer.set_exception(failures.from_wire(rest[1], self._to.name))
        else:
            answer.set_result(rest[0] if rest else None)

    async def _listen(self, stream: asyncssh.SSHReader[bytes]) -> None:
        with contextlib.suppress(OSError, asyncssh.Error):
            while data := await stream.read(_PIECE):
                self._said = (self._said + data)[-_SAID_BYTES:]

    def _lose(self, why: str) -> HostUnreachable:
        if self._lost is None:
            self._lost = HostUnreachable(
                f"The connection to {self._to.name} was lost: {why}.",
                details=self._said.decode(errors="replace").strip(),
                hint=f"Look whether it is up; then: vr hosts check {self._to.name}",
            )
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(self._lost)
        return self._lost
