"""Containers as processes: started, watched, and gone without a trace afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from vr.container.spec import Container, Mount

Stream = int | IO[bytes] | None


def host_mounts(ca_bundle: str = "/etc/ssl/certs/ca-certificates.crt") -> tuple[Mount, ...]:
    """The host's resolver, hosts file and CA bundle, read-only.

    For provisioning give another path as `ca_bundle` and point SSL_CERT_FILE there: installing
    ca-certificates replaces the usual one, which must not be a mount then.
    """
    raise NotImplementedError


def run(
    container: Container,
    folder: Path,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: Stream = None,
    stdout: Stream = None,
    stderr: Stream = None,
    timeout: float | None = None,
) -> int:
    """Run `argv` in the container and wait; returns its exit code (128+n: killed by signal n).

    `folder` holds the generated configuration; `env` is the whole environment. stdin, stdout and
    stderr as in subprocess. Raises ContainerTimeout after `timeout` seconds, when no process of
    the container is left; the same holds for any other exception on the way.
    """
    raise NotImplementedError


def start(
    container: Container,
    folder: Path,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: Stream = None,
    stdout: Stream = None,
    stderr: Stream = None,
) -> Running:
    """As `run`, but returns at once with a Running, to read its output while it works."""
    raise NotImplementedError


class Running:
    """A started container: `with start(...) as running: for line in running.stdout: ...`.

    Leaving the block kills what still runs. `stdout` is a binary file if PIPE was asked for.
    """

    stdout: IO[bytes] | None

    def __enter__(self) -> Running:
        raise NotImplementedError

    def __exit__(self, *_exc: object) -> None:
        raise NotImplementedError

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once everything has ended; raises ContainerTimeout, killing nothing."""
        raise NotImplementedError

    def kill(self) -> None:
        """SIGKILL for every process of the container."""
        raise NotImplementedError
