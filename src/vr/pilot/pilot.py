"""The pilot's life: preStart, the application, its end, postStop; and the signals in between.

What happens when is told in docs/reference/pilot.md#life.
"""

from __future__ import annotations

import os
import signal

from vr.pilot.errors import CannotStart, ConfigError
from vr.pilot.futures import Future
from vr.pilot.generation import Generation
from vr.pilot.load import load, rendered_arguments
from vr.pilot.processes import Exit
from vr.pilot.resolver import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vr.pilot.config import Config
    from vr.pilot.futures import Task
    from vr.pilot.processes import Process
    from vr.pilot.world import World

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# The application's own business; without one, the first of them ends the pilot like SIGTERM.
FORWARDED = (signal.SIGQUIT, signal.SIGUSR2, signal.SIGWINCH)
TERMINATED = 128 + signal.SIGTERM


class Pilot:
    """`source` is the value of `-config`; `words` are the application and its arguments."""

    def __init__(self, world: World, source: str, config: Config, words: Sequence[str]) -> None:
        self._world = world
        self._source = source
        self._config = config
        self._words = words
        self._template_variables = dict(world.environ)
        self._resolver = Resolver(world.loop)
        self._generation: Generation | None = None
        # What runs in the foreground: preStart, the application, postStop.
        self._hook: Process | None = None
        self._app: Process | None = None
        self._app_signalled = False
        self._pre_stop: Process | None = None
        self._stopping: Task[None] | None = None
        self._leaving: Task[None] | None = None
        self._stop_asked = False
        # By a SIGHUP during preStart.
        self._reload_asked = False
        # Ends a pilot without an application.
        self._stopped: Future[None] = Future(world.loop)

    def install_signals(self) -> None:
        """Before anything is started, so that no signal and no exit status is missed."""
        loop = self._world.loop
        loop.on_signal(signal.SIGCHLD, self._world.processes.reap)
        for number in STOP_SIGNALS:
            loop.on_signal(number, lambda _: self._terminate())
        loop.on_signal(signal.SIGHUP, lambda _: self._reload())
        loop.on_signal(signal.SIGUSR1, lambda _: self._toggle_maintenance())
        for number in FORWARDED:
            loop.on_signal(number, self._forward)

    async def run(self) -> int:
        """Everything, to the exit code; raises ConfigError before anything was started."""
        world = self._world
        world.environ["CONTAINERPILOT_PID"] = str(os.getpid())
        world.environ.update(self._config.exported())
        generation = Generation(world, self._config)
        generation.prepare(self._resolver, None)
        words = rendered_arguments(self._words, world.environ)
        code = await self._run_pre_start()
        if code is not None:
            return code
        try:
            generation.start(None)
            self._generation = generation
            if self._reload_asked:
                self._reload()
            app_code = await self._run_application(words)
            await self._leave()
            if self._stopping is not None:
                await self._stopping
            return await self._run_post_stop() or app_code
        finally:
            await self._leave()
            world.processes.kill_all()

    async def _run_pre_start(self) -> int | None:
        """None: it succeeded and the application may start; else the exit code."""
        if self._config.pre_start is None:
            return None
        ended = await self._run_hook("preStart", self._config.pre_start)
        if not ended.ok:
            self._world.log.error(f"preStart failed: {ended}")
            return ended.code
        return TERMINATED if self._stop_asked else None

    async def _run_application(self, words: Sequence[str]) -> int:
        world = self._world
        if not words:
            await self._stopped
            return 0
        try:
            self._app = world.processes.start(words, world.environ)
        except CannotStart as error:
            world.log.error(str(error))
            return error.code
        world.environ["CONTAINERPILOT_APP_PID"] = str(self._app.pid)
        ended = await self._app.exit
        world.log.debug(f"{words[0]} ended: {ended}")
        return ended.code

    async def _run_post_stop(self) -> int:
        """From the newest configuration; its exit code, 0 if there is none."""
        command = self._generation.config.post_stop if self._generation else None
        if command is None:
            return 0
        self._stop_asked = False
        ended = await self._run_hook("postStop", command)
        if not ended.ok:
            self._world.log.error(f"postStop failed: {ended}")
        return ended.code

    async def _run_hook(self, name: str, command: Sequence[str]) -> Exit:
        """A hook that nobody times out, but which SIGTERM reaches."""
        world = self._world
        try:
            self._hook = world.processes.start(command, world.environ)
        except CannotStart as error:
            world.log.error(str(error))
            return Exit(error.code)
        world.environ[f"CONTAINERPILOT_{name.upper()}_PID"] = str(self._hook.pid)
        try:
            return await self._hook.exit
        finally:
            self._hook = None

    def _terminate(self) -> None:
        """SIGTERM or SIGINT: stop, whatever is going on; a repeat shortens the wait."""
        if self._hook is not None:
            self._stop_hook(self._hook)
        elif self._generation is None:
            self._stop_asked = True
        elif self._stopping is None:
            self._stopping = self._world.loop.spawn(self._stop())
        else:
            self._hurry()

    def _stop_hook(self, hook: Process) -> None:
        hook.signal_group(signal.SIGKILL if self._stop_asked else signal.SIGTERM)
        if not self._stop_asked:
            self._stop_asked = True
            self._kill_later(hook)

    def _hurry(self) -> None:
        if self._pre_stop is not None:
            self._pre_stop.signal_group(signal.SIGKILL)
        elif self._app is not None and self._app_signalled:
            self._app.signal_group(signal.SIGKILL)

    async def _stop(self) -> None:
        """Out of discovery, preStop, then the application."""
        await self._leave()
        if self._app is not None and self._app.exit.done:
            return
        await self._run_pre_stop()
        if self._app is None:
            self._stopped.set_result(None)
            return
        self._app_signalled = True
        if self._config.stop_timeout < 0:
            self._app.signal_group(signal.SIGKILL)
        else:
            self._app.signal_group(signal.SIGTERM)
            self._kill_later(self._app)

    async def _run_pre_stop(self) -> None:
        world, command = self._world, self._config.pre_stop
        if command is None:
            return
        try:
            self._pre_stop = world.processes.start(command, world.environ)
        except CannotStart as error:
            world.log.error(str(error))
            return
        world.environ["CONTAINERPILOT_PRESTOP_PID"] = str(self._pre_stop.pid)
        ended = await self._pre_stop.exit
        self._pre_stop = None
        if not ended.ok:
            world.log.error(f"preStop failed: {ended}")

    def _kill_later(self, process: Process) -> None:
        seconds = max(self._config.stop_timeout, 0)
        loop = self._world.loop
        loop.call_at(loop.time() + seconds, lambda: process.signal_group(signal.SIGKILL))

    async def _leave(self) -> None:
        """Deregister, once, whichever end comes first; returns when it is done."""
        if self._leaving is None and self._generation is not None:
            self._leaving = self._world.loop.spawn(self._generation.leave())
        if self._leaving is not None:
            await self._leaving

    def _forward(self, number: int) -> None:
        if self._app is not None:
            self._app.signal_one(number)
        elif number == signal.SIGQUIT:
            self._terminate()

    def _reload(self) -> None:
        """SIGHUP: all or nothing. A bad configuration leaves the old one at work."""
        world, before = self._world, self._generation
        if before is None:
            self._reload_asked = True
        if before is None or self._leaving is not None:
            return
        try:
            loaded = load(self._source, self._template_variables)
            generation = Generation(world, loaded.config)
            generation.prepare(self._resolver, before)
        except ConfigError as error:
            world.log.error(f"Could not reload config: {error}")
            world.stats.reloads.add(result="refused")
            return
        self._config = loaded.config
        announce(world, loaded.config, loaded.shown)
        generation.start(before)
        self._generation = generation
        world.stats.reloads.add(result="done")

    def _toggle_maintenance(self) -> None:
        world, generation = self._world, self._generation
        if self._leaving is not None:
            return
        world.maintenance = not world.maintenance
        world.stats.maintenance.set(int(world.maintenance))
        if generation is None:
            return
        if world.maintenance:
            generation.enter_maintenance()
        else:
            generation.leave_maintenance()


def announce(world: World, config: Config, shown: str) -> None:
    """Have the log follow a configuration, and say what is to be said about it."""
    if config.logging is not None:
        world.log.configure(config.logging)
    for warning in config.warnings:
        world.log.warning(warning)
    if world.log.debugging:
        world.log.debug(f"Loaded configuration:\n{shown}")
