"""Opening SSH connections with asyncssh, and what its errors mean to users."""

from __future__ import annotations

import asyncio

import asyncssh

from vr.hosts.remote.address import SshAddress
from vr.hosts.supervisor import HostUnreachable

CONNECT_SECONDS = 5.0
# A connection whose other end is gone is found out after this many silent intervals.
_ALIVE_SECONDS = 3
_ALIVE_COUNT = 3
# sshd refuses some of ten new connections that haven't signed in yet (its MaxStartups).
_ATTEMPTS = 3
_AGAIN_SECONDS = 0.3


async def open_connection(
    to: SshAddress, *, password: str | None = None
) -> asyncssh.SSHClientConnection:
    """A connection to the host, whose key must be the pinned one.

    With `password` that is what signs in, not the server's key. Raises HostUnreachable, saying
    what to do.
    """
    where = f"{to.user}@{to.address}" + (f" port {to.port}" if to.port else "")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await _connect(to, password)
        except asyncssh.HostKeyNotVerifiable:
            raise HostUnreachable(
                f"{to.name} ({where}) shows another SSH host key than the pinned one: it was "
                "installed anew, or somebody stands in between. Nothing was sent.",
                hint=f"If you know why, pin the new key: vr hosts add {to.name} --new-key",
            ) from None
        except asyncssh.PermissionDenied as error:
            raise HostUnreachable(
                f"{to.name} ({where}) does not let the server sign in: {error.reason}.",
                hint=f"Install the server's key there: vr hosts add {to.name} --ask-password",
            ) from None
        except (ConnectionResetError, asyncssh.ConnectionLost) as error:
            if attempt == _ATTEMPTS:
                raise _unreachable(to, where, error) from None
            await asyncio.sleep(_AGAIN_SECONDS * attempt)
        except (OSError, asyncssh.Error, TimeoutError) as error:
            raise _unreachable(to, where, error) from None
    raise AssertionError("every attempt returns or raises")


async def host_key(to: SshAddress) -> str:
    """The line that pins the key which the host shows now, without signing in.

    Raises HostUnreachable.
    """
    where = f"{to.address}" + (f" port {to.port}" if to.port else "")
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            key = await asyncssh.get_server_host_key(
                to.address, port=to.port or (), config=list(to.config) or None
            )
    except (OSError, asyncssh.Error, TimeoutError) as error:
        raise _unreachable(to, where, error) from None
    if key is None:
        raise HostUnreachable(f"{to.name} ({where}) shows no SSH host key.")
    return key.export_public_key().decode().strip()


def fingerprint(pinned: str) -> str:
    """The fingerprint of a pinned key, as `ssh-keygen -lf` shows it: `SHA256:…`."""
    return str(asyncssh.import_public_key(pinned).get_fingerprint())


async def _connect(to: SshAddress, password: str | None) -> asyncssh.SSHClientConnection:
    trusted = [asyncssh.import_public_key(to.host_key)] if to.host_key else []
    keys = [] if password is not None else [asyncssh.import_private_key(to.private_key)]
    return await asyncssh.connect(
        to.address,
        port=to.port or (),
        username=to.user,
        password=password,
        client_keys=keys,
        agent_path=None,
        known_hosts=(trusted, [], []),
        config=list(to.config) or None,
        connect_timeout=CONNECT_SECONDS,
        login_timeout=CONNECT_SECONDS * 2,
        keepalive_interval=_ALIVE_SECONDS,
        keepalive_count_max=_ALIVE_COUNT,
    )


def _unreachable(to: SshAddress, where: str, error: BaseException) -> HostUnreachable:
    said = str(error) or type(error).__name__
    if isinstance(error, TimeoutError):
        said = f"no answer within {CONNECT_SECONDS:.0f} s"
    return HostUnreachable(
        f"{to.name} ({where}) can't be reached by SSH: {said}.",
        hint=f"Look whether it is up; then: vr hosts check {to.name}",
    )
