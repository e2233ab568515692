"""One run of an instance, from its droplet to its end, in a thread of its own.

The thread must last as long as the container: the kernel ends the container with it.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from vr.builder.untrusted import read_text
from vr.container import cgroups
from vr.container.launch import STDOUT, ContainerTimeout, Running, start
from vr.dea.config import DeaConfig
from vr.dea.container import app_container, start_command
from vr.dea.droplets import DropletCache
from vr.dea.environment import app_environment
from vr.dea.folders import InstanceFolder, container_name
from vr.dea.instance import Instance, Usage
from vr.dea.over_limit import disk_exceeded, memory_exceeded, note
from vr.dea.ports import Ports
from vr.dea.runtimes import with_runtime
from vr.dea.usage import usage
from vr.errors import InvalidInput, VelociraptorError
from vr.files.atomic import write_atomic
from vr.files.unpack import unpack
from vr.machine.ports import answers, is_free
from vr.machine.processes import parent_of, send_signal
from vr.paths import Root
from vr.runner.system_layers import system_layers
from vr.specs.documents import parse_mapping

_TICK_SECONDS = 0.1
_WATCH_SECONDS = 2.0
_STATE_FILE_SECONDS = 300.0
_PORT_ATTEMPTS = 3
_CONNECT_SECONDS = 0.25


@dataclass(frozen=True)
class Ended:
    """How it ended: the startup script's exit status if it ran, and why in words.

    `over_limit` are the lines for its owner, if it used too much.
    """

    status: int | None
    description: str
    over_limit: tuple[str, ...] = ()


@dataclass
class SharedByInstances:
    """What instances share."""

    config: DeaConfig
    droplets: DropletCache
    ports: Ports


class InstanceRun:
    """`run` in a thread; `ready` and `measured` are called from it, `stop` from any other."""

    def __init__(
        self,
        instance: Instance,
        folder: InstanceFolder,
        executable: str,
        shared: SharedByInstances,
        *,
        ready: Callable[[], None],
        measured: Callable[[Usage], None],
    ) -> None:
        self._instance = instance
        self._folder = folder
        self._executable = executable
        self._shared = shared
        self._ready = ready
        self._measured = measured
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> Ended:
        """Everything from the download on. Raises nothing."""
        try:
            state_file = self._unpack()
            for _attempt in range(_PORT_ATTEMPTS):
                ended, again = self._once(state_file)
                if not again:
                    break
            return ended
        except (VelociraptorError, OSError) as error:
            return Ended(None, str(error))

    def _unpack(self) -> str | None:
        """Make the instance's folder; returns the state file that droplet.yaml names, if any."""
        message, uid = self._instance.message, self._instance.uid
        tarball = self._shared.droplets.obtain(
            message.sha1, message.executableUri, message.executableFile
        )
        self._folder.path.mkdir(mode=0o700)
        self._folder.upper.mkdir(mode=0o755)
        droplet = self._folder.droplet
        unpack(tarball, droplet, owner=(uid, uid))
        for name in ("app", "logs", "tmp"):
            (droplet / name).mkdir(exist_ok=True)
            os.chown(droplet / name, uid, uid)
        os.chown(droplet, uid, uid)
        script = read_text(droplet / "startup")
        if script is None:
            raise VelociraptorError("The droplet has no startup script.")
        script = with_runtime(script, self._executable)
        write_atomic(droplet / "startup", script, mode=0o500, owner=(uid, uid))
        text = read_text(droplet / "droplet.yaml")
        try:
            named = parse_mapping(text, "droplet.yaml").get("state_file") if text else None
        except InvalidInput:
            named = None
        return str(named) if named and "/" not in str(named) else None

    def _once(self, state_file: str | None) -> tuple[Ended, bool]:
        """Start it on a port and stay until its end; whether another port is worth a try."""
        instance, ports = self._instance, self._shared.ports
        message = instance.message
        taken = [ports.take() for wanted in (True, message.debug, message.console) if wanted]
        numbers = iter(taken)
        instance.port = next(numbers)
        instance.debug_port = next(numbers) if message.debug else 0
        instance.console_port = next(numbers) if message.console else 0
        try:
            with self._start() as running:
                ended = self._watch(running, state_file)
            note(self._folder.droplet, ended.over_limit)
            was_stolen = (
                instance.state == "STARTING"
                and ended.status not in (None, 0)
                and not self._stopping.is_set()
                and not is_free(instance.port)
            )
            return ended, was_stolen
        finally:
            for port in taken:
                ports.release(port)

    def _start(self) -> Running:
        config, instance = self._shared.config, self._instance
        lowers, mounts = system_layers(Root.from_env(), config.image)
        container = app_container(instance, self._folder, lowers, mounts, config.bind_mounts)
        port = instance.port if instance.uris else None
        with self._folder.log.open("ab") as output:
            return start(
                container,
                self._folder.generated,
                start_command(port, instance.message.limits.disk),
                env=app_environment(instance),
                stdout=output,
                stderr=STDOUT,
            )

    def _watch(self, running: Running, state_file: str | None) -> Ended:
        message = self._instance.message
        patience = message.health_check_timeout or (
            _STATE_FILE_SECONDS if state_file else self._shared.config.default_health_check_timeout
        )
        began = time.monotonic()
        next_look = began
        is_ready = False
        while True:
            status = _wait(running, _TICK_SECONDS)
            if status is not None:
                return self._by_itself(running, status)
            if self._stopping.is_set():
                return self._end(running)
            now = time.monotonic()
            if not is_ready and self._healthy(state_file):
                is_ready = True
                self._ready()
            if not is_ready and now - began > patience:
                return Ended(None, f"It was not ready after {patience:g} seconds.")
            if now >= next_look:
                next_look = now + _WATCH_SECONDS
                if lines := self._over_disk_limit():
                    return Ended(None, " ".join(lines), lines)

    def _healthy(self, state_file: str | None) -> bool:
        if state_file:
            try:
                state = json.loads(read_text(self._folder.droplet / state_file) or "null")
            except (ValueError, VelociraptorError):
                return False
            return isinstance(state, dict) and state.get("state") == "RUNNING"
        return not self._instance.uris or answers(self._instance.port, seconds=_CONNECT_SECONDS)

    def _over_disk_limit(self) -> tuple[str, ...]:
        """Measure; what to say if the instance uses more disk than it may."""
        pids = cgroups.processes(container_name(self._instance.id))
        used = usage(pids, self._folder.droplet)
        self._measured(used)
        limit = self._instance.message.limits.disk
        return disk_exceeded(limit, used.disk >> 20) if used.disk > limit << 20 else ()

    def _by_itself(self, running: Running, status: int) -> Ended:
        said = f"It ended with status {status}."
        if not running.oom_kills():
            return Ended(status, said)
        limits = running.container.limits
        lines = memory_exceeded(self._instance.message.limits.mem, (limits.memory or 0) >> 20)
        return Ended(status, " ".join((*lines, said)), lines)

    def _end(self, running: Running) -> Ended:
        """TERM for every process of the app, and time to act on it; the rest is killed."""
        pids = cgroups.processes(container_name(self._instance.id))
        # Not for the container's init, which would end everything after a second.
        for pid in pids:
            if parent_of(pid) in pids:
                send_signal(pid, signal.SIGTERM)
        status = _wait(running, self._shared.config.stop_timeout)
        return Ended(status, "stopped")


def _wait(running: Running, seconds: float) -> int | None:
    try:
        return running.wait(seconds)
    except ContainerTimeout:
        return None
