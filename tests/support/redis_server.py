"""A Redis of one's own, on a private unix socket."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from support.waiting import until


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run redis-server in `folder`; yields its URL, and leaves no process behind."""
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "redis.sock"
    argv = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    argv += ["--save", "", "--appendonly", "no", "--logfile", str(folder / "redis.log")]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    url = f"unix://{socket}"
    try:
        until(lambda: process.poll() is None and _answers(url), "redis-server answers")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    connection = redis.Redis.from_url(url)
    try:
        return bool(connection.ping())
    except redis.ConnectionError:
        return False
    finally:
        connection.close()
