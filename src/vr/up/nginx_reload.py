"""nginx reads its configuration again, instead of being restarted: its port stays open.

What it has read last stands in a file with the pid of the master that did.
"""

from __future__ import annotations

import os
import signal
import subprocess

from vr.errors import VelociraptorError
from vr.files.atomic import write_atomic
from vr.machine.path import path_with_system
from vr.machine.processes import is_alive, send_signal
from vr.up.config import Config
from vr.up.waiting import Say


def remember(config: Config, stamp: str) -> None:
    """The master that runs has read the configuration with this stamp."""
    write_atomic(config.nginx_read, f"{_master(config)} {stamp}\n", mode=0o600)


def reload_if_changed(config: Config, stamp: str, say: Say) -> None:
    """Have the master read the file that is there, unless it has read it already.

    Raises VelociraptorError, and leaves nginx as it is, if it would refuse the file.
    """
    pid = _master(config)
    if not is_alive(pid) or _has_read(config) == (pid, stamp):
        return
    done = subprocess.run(
        ["nginx", "-t", "-q", "-c", str(config.nginx_conf), "-e", "stderr"],
        env={**os.environ, "PATH": path_with_system(os.environ)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise VelociraptorError(
            "nginx refuses its new configuration, and goes on by the former one.",
            details=done.stderr,
            hint=f"It is {config.nginx_conf}, with the pools in {config.pools}.",
        )
    send_signal(pid, signal.SIGHUP)
    remember(config, stamp)
    say("nginx reads its configuration again")


def _master(config: Config) -> int:
    """The pid of the master, which it writes when it can be told something; 0 if none has."""
    try:
        return int(config.nginx_pid_file.read_text())
    except (OSError, ValueError):
        return 0


def _has_read(config: Config) -> tuple[int, str]:
    """Which master has read which configuration last."""
    try:
        pid, stamp = config.nginx_read.read_text().split()
        return int(pid), stamp
    except (OSError, ValueError):
        return 0, ""
