"""The deployed procs of this machine, as `vr up` finds them and brings them back."""

from __future__ import annotations

import time
from collections.abc import Iterable

from vr.balancer.nginx.pool_file import parse
from vr.hosts.supervisor import Supervisor
from vr.machine.ports import answers
from vr.text.plurals import counted
from vr.up import health
from vr.up.config import Config
from vr.up.parts import Part, parts_of
from vr.up.waiting import Say

# Supervisor tries a proc longer; nobody needs to wait for one that keeps ending.
_SECONDS = 20.0


def folders(config: Config) -> list[str]:
    """The names of the procs that have a folder here, whether they run or not."""
    try:
        return sorted(path.name for path in (config.root / "procs").iterdir() if path.is_dir())
    except FileNotFoundError:
        return []


def all_was_stopped(config: Config, parts: Iterable[Part]) -> bool:
    """Whether none of the stack's own parts runs: that is never a user's stop of some proc."""
    own = health.checked(config)
    return all(part.is_stopped for part in parts if part.name in own)


def start_if_all_was_stopped(config: Config, supervisord: Supervisor) -> None:
    """After `supervisorctl stop all`, or a `vr down` that was killed: start the procs again.

    Called before the parts are started, so that it can be repeated until all is done.
    """
    parts = parts_of(supervisord)
    if all_was_stopped(config, parts):
        for part in _procs(config, parts):
            if part.is_stopped:
                supervisord.start(part.name)


def wait(config: Config, supervisord: Supervisor, say: Say) -> None:
    """Wait until the procs run and the nodes of pools accept connections; say which don't.

    One that doesn't is its app's fault, or its user has stopped it: the stack is up all the same.
    """
    deadline = time.monotonic() + _SECONDS
    while True:
        found = _procs(config, parts_of(supervisord))
        silent = _silent_nodes(config)
        under_way = [p for p in found if not p.is_running and not p.is_stopped]
        if not (under_way or (silent and any(p.is_running for p in found))):
            break
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    running = [part for part in found if part.is_running]
    if running:
        say(f"{counted(len(running), 'proc')} up")
    for part in found:
        if not part.is_running:
            say(f"{part.name} is {part.statename}: {part.description}".rstrip(": "))
    for pool, node in silent:
        say(f"pool {pool}: {node} accepts no connections; swarm it again, or see vr logs")


def _procs(config: Config, parts: Iterable[Part]) -> list[Part]:
    own = health.checked(config)
    return [part for part in parts if part.name not in own]


def _silent_nodes(config: Config) -> list[tuple[str, str]]:
    """(pool, node) of the routed nodes that nobody listens on."""
    return [
        (path.stem, node)
        for path in sorted(config.pools.glob("*.conf"))
        for node in parse(path.stem, path.read_text(errors="replace"))
        if not _accepts(node)
    ]


def _accepts(node: str) -> bool:
    host, _, port = node.rpartition(":")
    return port.isdigit() and answers(int(port), host.strip("[]"), seconds=0.5)
