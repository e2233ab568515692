"""A Redis of one's own, on a private unix socket."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from support.servers import serving


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run redis-server in `folder`; yields its URL, and leaves no process behind."""
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "redis.sock"
    argv = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    argv += ["--save", "", "--appendonly", "no", "--logfile", str(folder / "redis.log")]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    url = f"unix://{socket}"
    with serving(process, lambda: _answers(url), "redis-server"):
        yield url


def _answers(url: str) -> bool:
    connection = redis.Redis.from_url(url)
    try:
        return bool(connection.ping())
    except redis.ConnectionError:
        return False
    finally:
        connection.close()
