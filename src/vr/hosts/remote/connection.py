"""Another machine as a host: the service there does what a LocalConnection does here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from vr.errors import VelociraptorError
from vr.hosts.connection import LOCK_SECONDS, Command, LogReader, Result
from vr.hosts.remote.address import APPS, TOOLS, SshAddress
from vr.hosts.remote.channel import Channel
from vr.hosts.remote.links import LINKS, Links
from vr.hosts.supervisor import SECONDS, HostUnreachable, Supervisor
from vr.paths import Root

# For looks and small files; longer work brings its own time, and this is added.
_SECONDS = 15.0


class RemoteConnection:
    """The HostConnection of a machine that is reached by SSH."""

    def __init__(
        self,
        name: str,
        find: Callable[[], SshAddress],
        links: Links = LINKS,
        *,
        root: str = APPS,
        tools: str = TOOLS,
    ) -> None:
        """`find` tells where it is now, at each use, and raises HostUnreachable."""
        self.name = name
        self.root = Root(Path(root))
        self.supervisor: Supervisor = RemoteSupervisor(self)
        self._find = find
        self._tools = tools
        self._links = links

    def call(self, method: str, *arguments: Any, seconds: float = 0) -> Any:
        """What the method of the host's service returns; it may take `seconds` itself."""
        return self._links.call(self._find(), method, list(arguments), seconds + _SECONDS)[0]

    def version(self) -> str:
        """The version of Velociraptor there."""
        return self._links.version(self._find())

    def run(
        self, argv: Sequence[str], *, input: bytes | None = None, timeout: float = 60
    ) -> Result:
        return Result(*self.call("run", list(argv), input, timeout, seconds=timeout))

    def begin(self, argv: Sequence[str], *, timeout: float = 60) -> Command:
        to = self._find()
        number, channel = self._links.call(to, "begin", [list(argv), timeout], _SECONDS)
        return _RemoteCommand(self._on(channel, to), channel, number)

    def tool(self, name: str) -> str:
        return f"{self._tools}/{name}"

    def make_folder(self, path: Path, mode: int) -> None:
        self.call("make_folder", str(path), mode)

    def write(self, path: Path, data: str, mode: int) -> None:
        self.call("write", str(path), data, mode)

    def read(self, path: Path) -> bytes | None:
        found: bytes | None = self.call("read", str(path))
        return found

    def tail(self, path: Path, length: int) -> bytes:
        return bytes(self.call("tail", str(path), length))

    def follow(self, path: Path, length: int) -> LogReader:
        to = self._find()
        number, channel = self._links.call(to, "follow", [str(path), length], _SECONDS)
        return _RemoteLog(self._on(channel, to), channel, number)

    def exists(self, path: Path) -> bool:
        return bool(self.call("exists", str(path)))

    def remove(self, path: Path) -> None:
        self.call("remove", str(path))

    def lock(self, path: Path, *, wait: float = LOCK_SECONDS) -> AbstractContextManager[object]:
        return self._locked(path, wait)

    @contextlib.contextmanager
    def _locked(self, path: Path, wait: float) -> Iterator[None]:
        to = self._find()
        number, channel = self._links.call(to, "lock", [str(path), wait], wait + _SECONDS)
        channel.held += 1
        try:
            yield
        finally:
            channel.held -= 1
            # A connection that was lost has dropped the lock already.
            with contextlib.suppress(HostUnreachable):
                self._on(channel, to)("unlock", number)

    def is_free(self, port: int) -> bool:
        return bool(self.call("is_free", port))

    def accepts(self, port: int) -> bool:
        return bool(self.call("accepts", port))

    def ask(self, port: int, path: str) -> tuple[int, str]:
        status, said = self.call("ask", port, path)
        return int(status), str(said)

    def _on(self, channel: Channel, to: SshAddress) -> Callable[..., Any]:
        def call(method: str, *arguments: Any) -> Any:
            return self._links.call_on(channel, to, method, list(arguments), _SECONDS)

        return call


class _Held:
    """What the host keeps open for us under a number; it goes with the channel."""

    def __init__(self, call: Callable[..., Any], channel: Channel, number: int) -> None:
        self._call = call
        self._channel = channel
        self._number = number
        self._is_open = True
        channel.held += 1

    def _close(self, method: str) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._channel.held -= 1
        with contextlib.suppress(VelociraptorError):
            self._call(method, self._number)


class _RemoteLog(_Held):
    """A LogReader."""

    def read(self) -> bytes:
        return bytes(self._call("log_read", self._number))

    def close(self) -> None:
        self._close("log_close")


class _RemoteCommand(_Held):
    """A Command. Its end is unknown if the channel is lost."""

    def poll(self) -> Result | None:
        said = self._call("command_poll", self._number)
        return None if said is None else Result(*said)

    def close(self) -> None:
        self._close("command_close")


class RemoteSupervisor(Supervisor):
    """A host's Supervisor, asked by the service there at its socket: no port, no password."""

    def __init__(self, host: RemoteConnection) -> None:
        super().__init__(host.name, "")
        self._connection = host

    def answers(self) -> bool:
        """Does it answer? Raises HostUnreachable if the host itself doesn't."""
        self._connection.call("exists", "/")
        try:
            self.pid()
        except HostUnreachable:
            return False
        return True

    def call(self, method: str, *args: Any) -> Any:
        return self._connection.call("supervisor", method, list(args), seconds=SECONDS)
