"""Tells a proc's log at once that the kernel killed one of its processes for want of memory.

The launcher says so when the proc ends, but a proc may live on without its worker. One thread for
all procs of a Supervisor waits for the kernel's log, which alone knows who was killed; it costs
nothing while nobody is.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from vr.agent.app_log import add_line
from vr.container import cgroups
from vr.container.host import host_features, memory_limit
from vr.container.oom_log import OomKill, oom_kills
from vr.machine.processes import parent_of
from vr.specs.sizes import show_size

log = logging.getLogger("oom_watch")

_KERNEL_LOG = "/dev/kmsg"
_PAYLOAD = "lxc.payload."


def start(owner: int) -> None:
    """From now on watch the containers that the process `owner` or its descendants start.

    Other hosts' Supervisors on the same kernel see the same log, hence the owner.
    """
    try:
        kernel_log = os.open(_KERNEL_LOG, os.O_RDONLY | os.O_CLOEXEC)
        os.lseek(kernel_log, 0, os.SEEK_END)
    except OSError as error:
        log.warning("kills for want of memory are told when procs end: %s", error)
        return
    arguments = (kernel_log, owner)
    threading.Thread(target=_watch, args=arguments, name="oom_watch", daemon=True).start()


def report(kill: OomKill, limit: int | None, when: str) -> str:
    """The line for the proc's log; `limit` in bytes."""
    name = kill.group.removeprefix(_PAYLOAD)
    reason = f"which may use {show_size(limit) if limit else 'as much as the host has'}"
    if not kill.own_limit:
        reason = "as the host has no memory left"
    return (
        f"vrun: out of memory at {when}: the kernel killed {kill.process}, which had "
        f"{show_size(kill.memory)}, of {name}, {reason}.\n"
    )


def _watch(kernel_log: int, owner: int) -> None:
    for kill in oom_kills(_messages(kernel_log)):
        _tell(kill, owner)


def _messages(kernel_log: int) -> Iterator[str]:
    """The kernel's messages, as they come."""
    while True:
        # EPIPE: some were overwritten before they were read; it goes on with the next.
        with suppress(BrokenPipeError):
            record = os.read(kernel_log, 8192).decode(errors="replace")
            yield record.partition(";")[2].partition("\n")[0]


def _tell(kill: OomKill, owner: int) -> None:
    monitor = cgroups.monitor_of(kill.group) if kill.group.startswith(_PAYLOAD) else None
    if monitor is None or owner not in _ancestors(monitor):
        return
    folder = host_features().memory_group
    limit = memory_limit(folder / kill.group) if folder else None
    with suppress(OSError):  # it has just ended, or nobody reads what it says
        add_line(monitor, report(kill, limit, time.strftime("%F %T")))


def _ancestors(pid: int) -> Iterator[int]:
    while parent := parent_of(pid):
        yield parent
        pid = parent
