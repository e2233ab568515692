"""Publishers of other hosts may do in the stack's Redis what they do, and nothing else."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from support.ports import free_port
from support.servers import serving
from vr.events.disk import HostDisk
from vr.events.procs import HEARTBEATS, ProcBoard
from vr.up.config import Config
from vr.up.redis_conf import redis_conf

DISK = HostDisk(free=1 << 30, total=2 << 30)


@pytest.fixture(scope="module")
def config() -> Iterator[Config]:
    # A short folder, for the path of the socket.
    with tempfile.TemporaryDirectory(prefix="vr-") as home:
        environ = {"VR_HOME": home, "VR_HOSTS_ADDRESS": "127.0.0.1"}
        one = Config.from_env(environ | {"VR_HOSTS_REDIS_PORT": str(free_port())})
        one.run.mkdir()
        conf = Path(home) / "redis.conf"
        conf.write_text(redis_conf(one, "ours", "theirs"))
        process = subprocess.Popen(["redis-server", str(conf)], stdin=subprocess.DEVNULL)
        with serving(process, lambda: _answers(one), "redis-server"):
            yield one


def _as(config: Config, user: str, password: str) -> redis.Redis:
    return redis.Redis(port=config.hosts_redis_port, username=user, password=password)


def _answers(config: Config) -> bool:
    try:
        with _as(config, "hosts", "theirs") as connection:
            return bool(connection.ping())
    except redis.ConnectionError:
        return False


def test_a_publisher_pushes_all_that_it_has(config: Config) -> None:
    with _as(config, "hosts", "theirs") as theirs, _as(config, "default", "ours") as ours:
        board = ProcBoard(theirs)
        board.keep_pace("h1", 5)
        board.replace("h1", [{"name": "a-v1-c-x-web-5000", "statename": "RUNNING"}])
        board.keep_disk("h1", DISK)
        board.announce("PROCESS_STATE_RUNNING", {"name": "a"})
        assert board.beat("h1") is not None
        assert list(board.pushed("h1")) == ["a-v1-c-x-web-5000"]
        state = ProcBoard(ours).read(["h1"])["h1"]
        assert (state.pace, state.disk, len(state.procs)) == (5, DISK, 1)


def test_it_may_neither_read_events_nor_take_redis_apart(config: Config) -> None:
    with _as(config, "hosts", "theirs") as theirs:
        for command in (
            *(("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "GET", "*"), ("ACL", "LIST")),
            *(("LRANGE", "vr2_events_buffer", "0", "1"), ("GET", "celery"), ("EVAL", "", "0")),
            *(("PUBLISH", "vr2_events", "x"), ("SUBSCRIBE", "vr2_events")),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                theirs.execute_command(*command)
    with pytest.raises(redis.AuthenticationError), _as(config, "hosts", "guessed") as stranger:
        stranger.ping()


def test_a_redis_of_an_older_server_costs_only_what_it_does_not_know(config: Config) -> None:
    with _as(config, "default", "ours") as ours, _as(config, "hosts", "theirs") as theirs:
        ours.execute_command("ACL", "SETUSER", "hosts", "resetkeys", f"~{HEARTBEATS}")
        ProcBoard(theirs).keep_disk("h1", DISK)
