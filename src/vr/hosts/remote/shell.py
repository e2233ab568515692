"""Plain commands over SSH, for a machine on which our service isn't yet."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh

from vr.errors import VelociraptorError
from vr.hosts.connection import Result
from vr.hosts.remote.address import SshAddress
from vr.hosts.remote.links import LINKS, Links
from vr.hosts.remote.ssh import open_connection
from vr.hosts.supervisor import HostUnreachable

# Debian's messages, and bytes as they are.
_ENVIRONMENT = "export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive"


class Shell:
    """An open connection that runs scripts as root, by sudo for another user."""

    def __init__(
        self,
        to: SshAddress,
        connection: asyncssh.SSHClientConnection,
        links: Links,
        sudo: str | None,
    ) -> None:
        self._to = to
        self._connection = connection
        self._links = links
        self._sudo = sudo

    def run(self, script: str, *, input: bytes = b"", timeout: float = 60) -> Result:
        """Run a script of sh to its end, whatever its status.

        Raises HostUnreachable if it isn't done within `timeout` seconds, or the connection goes.
        """
        command = shlex.join(["sh", "-c", f"{_ENVIRONMENT}\n{script}"])
        if self._to.user != "root":
            if self._sudo is None:
                command = f"sudo -n -- {command}"
            else:
                # sudo reads its password from the first line, the command the rest.
                command = f"sudo -S -k -p '' -- {command}"
                input = f"{self._sudo}\n".encode() + input
        return self._links.run(self._to, self._run(command, input, timeout), timeout)

    def must(self, what: str, script: str, *, input: bytes = b"", timeout: float = 60) -> str:
        """The output of a script that must succeed; raises VelociraptorError saying `what` did
        not."""
        result = self.run(script, input=input, timeout=timeout)
        if result.status != 0:
            raise VelociraptorError(
                f"{self._to.name}: {what} failed with status {result.status}.",
                details=result.output[-4000:],
            )
        return result.stdout.decode(errors="replace")

    async def _run(self, command: str, input: bytes, timeout: float) -> Result:
        try:
            async with asyncio.timeout(timeout):
                done = await self._connection.run(command, input=input, encoding=None)
        except TimeoutError:
            raise HostUnreachable(
                f"{self._to.name} was not done after {timeout:.0f} s; what it does may go on there."
            ) from None
        except (OSError, asyncssh.Error) as error:
            raise HostUnreachable(
                f"The connection to {self._to.name} was lost: {error or type(error).__name__}."
            ) from None
        if done.exit_status is None:
            raise HostUnreachable(
                f"The connection to {self._to.name} was lost while it worked: whether it got to "
                "its end is unknown."
            )
        return Result(done.exit_status, _bytes(done.stdout), _bytes(done.stderr))


def _bytes(output: bytes | str | None) -> bytes:
    return output.encode() if isinstance(output, str) else output or b""


@contextmanager
def shell(
    to: SshAddress, *, password: str | None = None, sudo: str | None = None, links: Links = LINKS
) -> Iterator[Shell]:
    """A Shell on the host: `password` signs in instead of the key, `sudo` is sudo's.

    Raises HostUnreachable.
    """
    connection = links.run(to, open_connection(to, password=password), 0)
    try:
        yield Shell(to, connection, links, sudo)
    finally:
        links.soon(connection.close)
