"""nginx as a balancer: a file per pool, tested before it counts (docs/reference/balancer.md)."""

from __future__ import annotations

import shlex
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from vr.balancer.base import Balancer, Change, check_expected, check_names
from vr.balancer.nginx.pool_file import Site, parse, render
from vr.balancer.nginx.workers import Workers, observe, wait_ended, wait_taken_over
from vr.balancer.transport import LocalTransport, Transport
from vr.errors import InvalidInput, VelociraptorError

DEFAULTS = {
    "include_dir": "/etc/nginx/sites-enabled/",
    "reload_cmd": "/etc/init.d/nginx reload",
    "test_cmd": "nginx -t",
    "pid_file": "/run/nginx.pid",
}
# A busy machine may take long to start workers; traffic moves in about 0.1 s otherwise.
TAKE_OVER_SECONDS = 30.0
# Where the workers can't be seen, traffic has moved after this time: it takes about 0.1 s.
UNSEEN_SECONDS = 1.0


class NginxBalancer(Balancer):
    """Pools of an nginx on this machine.

    Settings: `hosts`, `include_dir`, `reload_cmd`, and of our own `test_cmd`, `pid_file`
    (to see when traffic has moved), `lock_dir` (include_dir unless told), `listen` with
    `domain` (serve each pool as `<pool>.<domain>` at once). `user`, `password` and `tmpdir` are
    for hosts reached over SSH and not used here. Commands are split like a shell's, not run by
    one.

    A pool file is written beside and renamed, `nginx -t` must accept the whole configuration,
    and the former file comes back if it doesn't. Two locks keep others out: one per pool from
    reading to the end of the reload, one per nginx while files are changed and tested.
    """

    def __init__(self, config: Mapping[str, Any], transport: Transport | None = None) -> None:
        super().__init__(config)
        settings = {**DEFAULTS, **config}
        self._check(settings)
        self._transport = transport or LocalTransport()
        self._folder = PurePosixPath(settings["include_dir"])
        self._locks = PurePosixPath(settings.get("lock_dir") or settings["include_dir"])
        self._test = shlex.split(settings["test_cmd"])
        self._reload = shlex.split(settings["reload_cmd"])
        self._pid_file = str(settings["pid_file"])
        self._site = (
            Site(str(settings["listen"]), str(settings.get("domain") or "localhost"))
            if settings.get("listen")
            else None
        )

    @staticmethod
    def _check(settings: Mapping[str, Any]) -> None:
        local = {"localhost", "127.0.0.1", "::1", socket.gethostname(), socket.getfqdn()}
        hosts = settings.get("hosts") or ["localhost"]
        problems = []
        if not isinstance(hosts, list):
            problems.append(f"hosts: is {hosts!r}, expected a list of host names")
        elif others := [str(host) for host in hosts if host not in local]:
            problems.append(
                f"hosts: {', '.join(others)} would need SSH, which is not there yet; "
                "expected localhost"
            )
        for key in ("include_dir", "reload_cmd", "test_cmd", "pid_file"):
            if not isinstance(settings[key], str) or not settings[key].strip():
                problems.append(f"{key}: is {settings[key]!r}, expected text")
        if problems:
            raise InvalidInput("nginx balancer", problems)

    def get_nodes(self, pool: str) -> list[str]:
        check_names(pool)
        return parse(pool, self._transport.read(self._file(pool)) or "")

    def add_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        with self._pool_lock(pool):
            self._make(pool, [*self.get_nodes(pool), *nodes])

    def delete_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        with self._pool_lock(pool):
            self._make(pool, [node for node in self.get_nodes(pool) if node not in nodes])

    def delete_pool(self, pool: str) -> None:
        self.set_nodes(pool, [])

    def set_nodes(
        self, pool: str, nodes: Collection[str], *, expected: Collection[str] | None = None
    ) -> Change:
        with self._pool_lock(pool):
            before = self.get_nodes(pool)
            check_expected(pool, before, expected)
            self._make(pool, nodes)
            return Change(tuple(before), tuple(sorted(set(nodes))))

    def wait_drained(self, timeout: float) -> bool:
        return wait_ended(self._transport, self._pid_file, timeout)

    def _make(self, pool: str, nodes: Collection[str]) -> None:
        """Bring the file and the running nginx to `nodes`; the pool's lock is held."""
        nodes = sorted(set(nodes))
        check_names(pool, nodes)
        path, pending = self._file(pool), str(self._locks / f".{pool}.pending")
        former = self._transport.read(path)
        wanted = render(pool, nodes, self._site) if nodes else None
        # A writer that died between the file and the reload left `pending` behind.
        if wanted == former and self._transport.read(pending) is None:
            return
        # Stays after a failure: what nginx runs is unsure until its next reload.
        self._transport.write(pending, "")
        with self._transport.lock(str(self._locks / ".nginx.lock")):
            self._put(path, wanted)
            try:
                self._run(self._test, f"nginx does not accept the pool {pool!r}")
                workers = observe(self._transport, self._pid_file)
                self._run(self._reload, f"nginx could not be reloaded for the pool {pool!r}")
            except BaseException:
                self._put(path, former)
                raise
        self._wait_until_moved(workers)
        self._transport.remove(pending)

    def _wait_until_moved(self, before: Workers | None) -> None:
        if before is None:
            time.sleep(UNSEEN_SECONDS)
        elif not wait_taken_over(self._transport, self._pid_file, before, TAKE_OVER_SECONDS):
            raise VelociraptorError(
                f"nginx was reloaded, but its old workers still take connections after "
                f"{TAKE_OVER_SECONDS:.0f} s.",
                hint="Look into nginx's error log: it keeps the old configuration if the new "
                "one fails.",
            )

    def _put(self, path: str, text: str | None) -> None:
        if text is None:
            self._transport.remove(path)
        else:
            self._transport.write(path, text)

    def _run(self, argv: Sequence[str], problem: str) -> None:
        outcome = self._transport.run(argv)
        if outcome.status != 0:
            raise VelociraptorError(
                f"{problem}: {shlex.join(argv)} ended with {outcome.status}; "
                "the pool is as it was before.",
                details=outcome.output,
                hint="Mend nginx's configuration, then try again.",
            )

    def _file(self, pool: str) -> str:
        return str(self._folder / f"{pool}.conf")

    def _pool_lock(self, pool: str) -> Any:
        check_names(pool)
        return self._transport.lock(str(self._locks / f".{pool}.lock"))
