"""Procs for tests: a proc.yaml in a folder of its own, and vrun for it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import vr.runner
from support.waiting import until
from vr.container import cgroups
from vr.paths import ProcPaths, Root
from vr.specs.proc import load

# Commands run the very code that the tests import, wherever that lies.
_SOURCE = Path(vr.runner.__file__).parents[2]
_CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(_SOURCE)}


@dataclass
class Running:
    """A command in the background, with what it has printed so far in a file."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def shows(self, text: str) -> None:
        def seen() -> bool:
            return text in self.output or self.process.poll() is not None

        until(seen, f"{text!r} is printed")
        assert text in self.output

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@dataclass
class Proc:
    """A proc.yaml in a folder of its own, and vrun for it."""

    file: Path
    root: Root
    program: str = "vrun"
    started: list[Running] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)
    """More of vrun's own environment."""

    @property
    def name(self) -> str:
        return str(load(self.file).name)

    @property
    def paths(self) -> ProcPaths:
        return self.root.proc(self.name)

    def change(self, **keys: Any) -> None:
        values = yaml.safe_load(self.file.read_text()) | keys
        self.file.write_text(yaml.safe_dump(values))

    def command(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name(self.program)), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**_CLEAN, "VR_ROOT": str(self.root.path), **self.extra}

    def vrun(self, command: str, *more: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.vrun_alone(command, str(self.file), *more, **options)

    def vrun_alone(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """A command of this proc's host that names no file."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )

    def setup(self) -> Proc:
        done = self.vrun("setup")
        assert done.returncode == 0, done.stderr
        return self

    def launch(self, *, by: str = "launcher") -> Running:
        """Run the app in the background, by its launcher or by `vrun run`."""
        log = self.file.with_name(f"log-{len(self.started)}")
        argv = (
            [str(self.paths.launcher)] if by == "launcher" else self.command("run", str(self.file))
        )
        with log.open("wb") as output:
            process = subprocess.Popen(
                argv,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        running = Running(process, log)
        self.started.append(running)
        return running

    def shell(self, commands: str) -> subprocess.CompletedProcess[str]:
        return self.vrun("shell", input=commands)

    def uptest(self) -> list[dict[str, Any]]:
        done = self.vrun("uptest")
        assert done.returncode == 0, done.stderr
        results: list[dict[str, Any]] = json.loads(done.stdout)
        return results

    def processes(self) -> set[int]:
        return cgroups.processes(self.name)
