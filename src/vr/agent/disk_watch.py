"""Stops procs of this host that wrote more than their limit, where no file system holds them to it.

One thread looks at one proc after the other. A look takes milliseconds, and a second for
100,000 files; the pauses grow with it, so that looks never take more than a twentieth of a CPU.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from supervisor.states import RUNNING_STATES

from vr.agent.app_log import add_line
from vr.container import cgroups
from vr.container.unlinked import unlinked_bytes
from vr.errors import VelociraptorError
from vr.events.disk import OverDisk
from vr.files.disk_usage import disk_usage, file_count
from vr.hosts.supervisor import Supervisor
from vr.paths import Root
from vr.runner import setup_record
from vr.specs.names import ProcName
from vr.specs.sizes import show_size

log = logging.getLogger("disk_watch")

PACE_SECONDS = 5.0
_LONGEST_SECONDS = 60.0
# What a file counts at least: empty ones use up the host's inodes, and the time of looks.
_LEAST_BYTES = 4096
# How much longer than a look the pause after it is.
_PAUSES = 20


class DiskWatch:
    """Knows which procs were stopped, until they are started again."""

    def __init__(self, root: Root, supervisor: Supervisor) -> None:
        self._root = root
        self._supervisor = supervisor
        self._over: dict[str, OverDisk] = {}
        self._due: dict[str, float] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """From now on look at all procs, in a thread."""
        threading.Thread(target=self._watch, name="disk_watch", daemon=True).start()

    def over(self, proc: str) -> OverDisk | None:
        """Why the proc was stopped; None if it wasn't, by us."""
        with self._lock:
            return self._over.get(proc)

    def remember(self, known: Mapping[str, OverDisk]) -> None:
        """Take over what a watch before this one knew."""
        with self._lock:
            self._over = {**known, **self._over}

    def forget(self, proc: str) -> None:
        """It is started again, or gone."""
        with self._lock:
            self._over.pop(proc, None)

    def look(self) -> float:
        """Look at the procs whose turn it is, and stop those over their limit; returns how many
        seconds that took. Raises VelociraptorError if Supervisor doesn't answer."""
        begin = time.monotonic()
        infos = self._supervisor.by_name()
        self._due = {name: due for name, due in self._due.items() if name in infos}
        for name, info in infos.items():
            if info["state"] in RUNNING_STATES and self._due.get(name, 0.0) <= time.monotonic():
                self._look_at(name)
        return time.monotonic() - begin

    def _watch(self) -> None:
        pause = PACE_SECONDS
        while True:
            time.sleep(pause)
            try:
                pause = pause_after(self.look())
            except (VelociraptorError, OSError) as error:
                log.warning("disk use was not looked at: %s", error)
                pause = PACE_SECONDS

    def _look_at(self, name: str) -> None:
        if ProcName.parse(name) is None:
            return
        watched = setup_record.watched_disk(self._root.proc(name))
        if watched is None:
            return
        folder, limit = watched
        begin = time.monotonic()
        used = disk_usage(folder) + unlinked_bytes(cgroups.processes(name))
        used = max(used, file_count(folder) * _LEAST_BYTES)
        self._due[name] = time.monotonic() + _PAUSES * (time.monotonic() - begin)
        if used > limit:
            self._stop(name, OverDisk(used, limit, time.time()))

    def _stop(self, name: str, over: OverDisk) -> None:
        with self._lock:
            is_new = name not in self._over
            self._over[name] = over
        if is_new:
            log.warning("%s is stopped: %s", name, over)
            _tell(name, over)
        # Again if it still runs: Supervisor loses a stop that comes at a wrong moment.
        self._supervisor.stop(name)


def pause_after(seconds: float) -> float:
    """How long to pause after a round that took so long. Pure."""
    return min(max(PACE_SECONDS, _PAUSES * seconds), _LONGEST_SECONDS)


def report(name: str, over: OverDisk, when: str) -> str:
    """The line for the proc's log."""
    return (
        f"vrun: out of disk at {when}: {name} has written {show_size(over.used)} outside its "
        f"volumes and may write {show_size(over.limit)}, so it is stopped.\n"
    )


def _tell(name: str, over: OverDisk) -> None:
    monitor = cgroups.monitor_of(f"lxc.payload.{name}")
    if monitor is not None:
        with suppress(OSError):
            add_line(monitor, report(name, over, time.strftime("%F %T")))
