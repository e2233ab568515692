"""`vr up`, `vr down`, `vr status`: from nothing to a healthy stack, and back to nothing."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vr.container import cgroups
from vr.errors import Busy, InvalidInput, VelociraptorError
from vr.machine.path import path_with_system
from vr.machine.processes import is_alive, send_signal
from vr.text.plurals import counted
from vr.up import (
    configuration,
    database,
    health,
    leftovers,
    nginx_reload,
    pools,
    procs,
    secrets,
    stamps,
    upgrade,
    waiting,
)
from vr.up.config import Config, machine_problems
from vr.up.parts import Part, parts_of, supervisor_of
from vr.up.waiting import Say

DOWN_SECONDS = 90
# What lost its supervisord was told to end by its death already.
_ORPHANS_SECONDS = 20


@dataclass(frozen=True)
class Status:
    """What runs: `parts` is empty when the stack is down."""

    parts: list[Part]
    health: list[health.Health]
    # The parts that run other code than is installed.
    outdated: tuple[str, ...] = ()

    @property
    def is_up(self) -> bool:
        return bool(self.parts)

    @property
    def is_healthy(self) -> bool:
        return self.is_up and all(one.is_healthy for one in self.health)


def up(config: Config, say: Say) -> None:
    """Start what does not run and wait until all is healthy; safe to repeat.

    Raises InvalidInput when the machine isn't fit (before anything starts) and
    VelociraptorError naming the parts that don't get healthy, with the end of their logs.
    """
    with _only_one(config):
        supervisord = supervisor_of(config)
        if supervisord.answers():
            _make_folders(config)
            secrets.ensure(config)
            upgrade.refresh(config, supervisord, say)
        else:
            _end_leftovers(config, say)
            if problems := machine_problems(config):
                raise InvalidInput("this machine", problems)
            _make_folders(config)
            secrets.ensure(config)
            wanted = configuration.wanted(config, stamps.installed_code())
            wanted.write()
            say("preparing the database")
            database.prepare(config)
            pools.listen_anew(config)
            _start_supervisord(config)
            waiting.until_healthy(config, supervisord, say)
            nginx_reload.remember(config, wanted.stamps["nginx"])
        procs.wait(config, supervisord, say)


def down(config: Config, say: Say) -> bool:
    """Stop procs and parts; returns False when nothing ran.

    Nothing is left behind: no process, container or mount, not even of a supervisord that was
    killed. Procs come back with the next `vr up`, as their folders stay.
    """
    config.home.mkdir(parents=True, exist_ok=True)
    with _only_one(config):
        supervisord = supervisor_of(config)
        if not supervisord.answers():
            return _end_leftovers(config, say)
        pid = supervisord.pid()
        names = [part.name for part in parts_of(supervisord)]
        supervisord.stop_all()
        say(f"stopping {counted(len(names), 'program')}")
        waiting.until(
            lambda: all(part.is_stopped for part in parts_of(supervisord)),
            DOWN_SECONDS,
            "programs still run that were asked to stop",
        )
        supervisord.shutdown()
        waiting.until(lambda: not is_alive(pid), 20, f"supervisord (pid {pid}) still runs")
        leftovers.end(_parts_folders(config), seconds=_ORPHANS_SECONDS)
        for name in names:
            cgroups.sweep(name)
        return True


def _end_leftovers(config: Config, say: Say) -> bool:
    """End what a supervisord left that was killed, or that lost its socket; was there any?"""
    pid = _lost_supervisord(config)
    if pid:
        say(f"ending a supervisord that does not answer (pid {pid})")
        send_signal(pid, signal.SIGTERM)
        if not leftovers.until(lambda: not is_alive(pid), DOWN_SECONDS):
            send_signal(pid, signal.SIGKILL)
    orphans = leftovers.end(_parts_folders(config), seconds=_ORPHANS_SECONDS)
    if orphans:
        say(f"ended {counted(orphans, 'process')} that had lost their supervisord")
    if not pid and not orphans:
        return False
    for name in procs.folders(config):
        cgroups.sweep(name)
    return True


def _lost_supervisord(config: Config) -> int:
    """The pid of our supervisord if it lives, though nobody answers at its socket; or 0."""
    try:
        pid = int(config.supervisord_pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (OSError, ValueError):
        return 0
    return pid if str(config.supervisord_conf) in command and is_alive(pid) else 0


def _parts_folders(config: Config) -> list[Path]:
    return [config.folder_of(name) for name in health.EVERY]


def runs(config: Config) -> bool:
    """Whether its supervisord answers."""
    return supervisor_of(config).answers()


def status(config: Config) -> Status:
    """What runs now, and how it is."""
    supervisord = supervisor_of(config)
    if not supervisord.answers():
        return Status([], [])
    parts = parts_of(supervisord)
    return Status(parts, health.check(config, parts), upgrade.outdated(parts))


@contextmanager
def _only_one(config: Config) -> Iterator[None]:
    """Two `vr up` at once would both start a supervisord."""
    if os.geteuid() != 0:
        raise InvalidInput("this machine", ["must run as root, as containers need it; use sudo"])
    config.home.mkdir(parents=True, exist_ok=True)
    path = config.home / ".lock"
    path.touch(mode=0o600)
    path.chmod(0o600)  # whoever may open it may hold it
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"Another vr up or vr down works on {config.home}.",
                hint="Wait for it to end, then try again.",
            ) from None
        yield


def _make_folders(config: Config) -> None:
    for folder, mode in (
        (config.home, 0o755),  # nginx's workers pass through
        (config.run, 0o755),
        (config.run / "nginx", 0o755),
        (config.etc, 0o700),
        (config.pools, 0o700),
        *((folder, 0o755) for folder in _parts_folders(config)),
        (config.logs, 0o700),
        (config.home / "files", 0o700),
        (config.root, 0o755),
        (config.root / "procs", 0o700),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)


def _start_supervisord(config: Config) -> None:
    config.supervisor_socket.unlink(missing_ok=True)
    command = [str(configuration.bin_folder() / "supervisord"), "-c", str(config.supervisord_conf)]
    done = subprocess.run(
        command,
        # Settings reach the parts by their files; those of now would stay here for ever.
        env={
            **{name: text for name, text in os.environ.items() if not name.startswith("VR_")},
            "PATH": path_with_system(os.environ),
        },
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise VelociraptorError(
            "supervisord did not start.",
            details=(done.stdout + done.stderr) or waiting.tail(config.logs / "supervisord.log"),
            hint=f"Its configuration is {config.supervisord_conf}.",
        )
