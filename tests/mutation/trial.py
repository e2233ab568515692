"""The tests of a room, run beside a changed module, in a process of their own."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from enum import Enum
from types import ModuleType

# Also what tests import: before forks, so that it needn't be after each of them.
import _hypothesis_pytestplugin  # noqa: F401
import django.db.backends.sqlite3.base  # noqa: F401
import hypothesis.strategies
import msgspec  # noqa: F401
import pytest
import yaml  # noqa: F401

from mutation.rooms import PROJECT, SOURCES, Room

_MEMORY = 4 << 30
_LEFT_OUT = ("cacheprovider", "schemathesis", "xdist", "anyio")


class Outcome(Enum):
    KILLED = "killed"
    SURVIVED = "survived"


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a source that is on no disk."""

    def __init__(self, name: str, source: str) -> None:
        self._module = "vr." + name.removesuffix(".py").replace("/", ".")
        self._path = SOURCES / name
        self._source = source

    def find_spec(
        self, fullname: str, path: object, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=str(self._path))

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self._path)
        exec(compile(self._source, str(self._path), "exec"), module.__dict__)


def outcome(room: Room, name: str, source: str, patience: float) -> tuple[Outcome, float]:
    """Whether the tests notice that the module `name` has this source, and after how many seconds.

    A run of more than `patience` seconds has noticed: something doesn't end.
    """
    folder = tempfile.mkdtemp(prefix="vr-mutant-")
    began = time.monotonic()
    child = os.fork()
    if not child:
        _run(room, name, source, folder)
    try:
        code = _exit_code(child, began + patience)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Outcome.KILLED if code else Outcome.SURVIVED, time.monotonic() - began


def _run(room: Room, name: str, source: str, folder: str) -> None:
    code = 3
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nowhere, descriptor)
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        os.chdir(PROJECT)
        os.environ["DJANGO_SETTINGS_MODULE"] = "vr.server.settings"
        sys.meta_path.insert(0, _Changed(name, source))
        # The same examples for each mutant; the smallest one that fails is of no interest.
        hypothesis.settings.register_profile(
            "mutants",
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
            derandomize=True,
            deadline=None,
            database=None,
        )
        hypothesis.settings.load_profile("mutants")
        left_out = (*_LEFT_OUT, *(() if room.needs_django else ("django",)))
        options = ["-q", "-x", "--tb=no", *(f"-pno:{plugin}" for plugin in left_out)]
        code = int(pytest.main([*options, *map(str, room.tests_of(name))]))
    finally:
        os._exit(code)


def _exit_code(child: int, deadline: float) -> int:
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 1
