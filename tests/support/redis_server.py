"""A Redis of one's own: on a private unix socket, or as a fleet has it, with TLS and a password."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from support.ports import free_port
from support.servers import serving


@contextmanager
def redis_server(folder: Path, *, port: int = 0) -> Iterator[str]:
    """Run redis-server in `folder`; yields its URL, and leaves no process behind.

    With `port` it listens on loopback, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "redis.sock"
    argv = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--unixsocket",
        str(socket),
        "--dir",
        str(folder),
    ]
    argv += ["--save", "", "--appendonly", "no", "--logfile", str(folder / "redis.log")]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    url = f"unix://{socket}"
    with serving(process, lambda: _answers(url), "redis-server"):
        yield url


@contextmanager
def tls_redis_server(folder: Path, password: str, tls: tuple[Path, Path]) -> Iterator[str]:
    """Run redis-server with TLS on loopback, for the user `vr` with `password` alone; yields its
    address. `tls` are the files of a certificate for localhost, signed by itself, and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, key = tls
    port = free_port()
    conf = folder / "redis.conf"
    conf.write_text(
        f"port 0\ntls-port {port}\nbind 127.0.0.1\ntls-auth-clients no\n"
        f"tls-cert-file {authority}\ntls-key-file {key}\ntls-ca-cert-file {authority}\n"
        f'dir {folder}\nsave ""\nlogfile {folder / "redis.log"}\n'
        f"user default off\nuser vr on >{password} ~* &* +@all -@dangerous +info\n"
    )
    conf.chmod(0o600)
    process = subprocess.Popen(["redis-server", str(conf)], stdin=subprocess.DEVNULL)
    url = f"rediss://vr:{password}@localhost:{port}/0"
    with serving(process, lambda: _answers(f"{url}?ssl_ca_certs={authority}"), "redis-server"):
        yield url


def _answers(url: str) -> bool:
    connection = redis.Redis.from_url(url)
    try:
        return bool(connection.ping())
    except redis.ConnectionError:
        return False
    finally:
        connection.close()
