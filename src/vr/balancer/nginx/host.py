"""The pools of the nginx on one machine: a file each, tested before it counts."""

from __future__ import annotations

import shlex
import time
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from vr.balancer.base import check_names
from vr.balancer.nginx.pool_file import parse, parse_backups, parse_passing, render
from vr.balancer.nginx.settings import NginxSettings
from vr.balancer.nginx.workers import Workers, observe, wait_ended, wait_taken_over
from vr.errors import VelociraptorError
from vr.hosts.connection import HostConnection
from vr.specs.passing import Passing

# A busy machine may take long to start workers; traffic moves in about 0.1 s otherwise.
TAKE_OVER_SECONDS = 30.0
# Where the workers can't be seen, traffic has moved after this time.
UNSEEN_SECONDS = 1.0
_COMMAND_SECONDS = 30.0
# nginx reads the files as root, and administrators may look at them.
_MODE = 0o644


class NginxHost:
    """A PoolHost. A pool file is written beside and renamed, `nginx -t` must accept the whole
    configuration, and the former file comes back if it doesn't. Two locks keep others out: one
    per pool from reading to the end of the reload, one per nginx while files are changed and
    tested.
    """

    def __init__(self, host: HostConnection, settings: NginxSettings) -> None:
        self.name = host.name
        self._host = host
        self._settings = settings

    def lock(self, pool: str) -> AbstractContextManager[object]:
        return self._host.lock(self._settings.lock_dir / f".{pool}.lock")

    def nodes(self, pool: str) -> list[str]:
        return parse(pool, self._read(self._file(pool)) or "")

    def backups(self, pool: str) -> list[str]:
        return parse_backups(pool, self._read(self._file(pool)) or "")

    def passing(self, pool: str) -> Passing:
        return parse_passing(self._read(self._file(pool)) or "")

    def put(
        self,
        pool: str,
        nodes: Collection[str],
        backups: Collection[str] = (),
        passing: Passing | None = None,
    ) -> None:
        nodes = sorted(set(nodes))
        backups = sorted(set(backups) - set(nodes))
        check_names(pool, [*nodes, *backups])
        path, pending = self._file(pool), self._settings.lock_dir / f".{pool}.pending"
        former = self._read(path)
        passing = parse_passing(former or "") if passing is None else passing
        wanted = render(pool, nodes, self._settings.site, backups, passing) if nodes else None
        # A writer that died between the file and the reload left `pending` behind.
        if wanted == former and not self._host.exists(pending):
            return
        # Stays after a failure: what nginx runs is unsure until its next reload.
        self._host.write(pending, "", _MODE)
        with self._host.lock(self._settings.lock_dir / ".nginx.lock"):
            self._write(path, wanted)
            try:
                self._run(self._settings.test_cmd, f"nginx does not accept the pool {pool!r}")
                workers = observe(self._host, self._settings.pid_file)
                self._run(
                    self._settings.reload_cmd,
                    f"nginx could not be reloaded for the pool {pool!r}",
                )
            except BaseException:
                self._write(path, former)
                raise
        self._wait_until_moved(workers)
        self._host.remove(pending)

    def wait_drained(self, timeout: float) -> bool:
        return wait_ended(self._host, self._settings.pid_file, timeout)

    def _wait_until_moved(self, before: Workers | None) -> None:
        if before is None:
            time.sleep(UNSEEN_SECONDS)
        elif not wait_taken_over(self._host, self._settings.pid_file, before, TAKE_OVER_SECONDS):
            raise VelociraptorError(
                f"nginx on {self.name} was reloaded, but its old workers still take connections "
                f"after {TAKE_OVER_SECONDS:.0f} s.",
                hint="Look into nginx's error log: it keeps the old configuration if the new "
                "one fails.",
            )

    def _read(self, path: Path) -> str | None:
        found = self._host.read(path)
        return None if found is None else found.decode(errors="replace")

    def _write(self, path: Path, text: str | None) -> None:
        if text is None:
            self._host.remove(path)
        else:
            self._host.write(path, text, _MODE)

    def _run(self, argv: Sequence[str], problem: str) -> None:
        result = self._host.run(argv, timeout=_COMMAND_SECONDS)
        if result.status != 0:
            raise VelociraptorError(
                f"{problem} on {self.name}: {shlex.join(argv)} ended with {result.status}; "
                "the pool is as it was before.",
                details=result.output,
                hint="Mend nginx's configuration, then try again.",
            )

    def _file(self, pool: str) -> Path:
        return self._settings.include_dir / f"{pool}.conf"
