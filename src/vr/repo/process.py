"""The one way this room runs a program: argument list, clean environment, deadline.

Nothing of it outlives its caller. As root it gets a pid namespace of its own, with which all its
helpers (ssh, git-remote-https) end, too.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vr.errors import VelociraptorError

_WITH_ITS_CALLER = ("setpriv", "--pdeathsig", "KILL", "--")
_CHECK_SECONDS = 0.3
_ALL_TOGETHER = ("unshare", "--pid", "--fork", "--kill-child=KILL", "--")


@dataclass(frozen=True)
class Result:
    """How a program ended; output is text, decoded leniently."""

    status: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        return self.status == 0


class TooSlow(VelociraptorError):
    """The program did not end within its time and was killed, with all its children."""


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout: float,
    cwd: Path | None = None,
    check: Callable[[], None] = lambda: None,
) -> Result:
    """Run `argv` to its end without terminal or input.

    Raises TooSlow after `timeout` seconds, VelociraptorError if the program is not installed, and
    what `check` raises, which is called again and again meanwhile.
    """
    if shutil.which(argv[0], path=env.get("PATH")) is None:
        raise VelociraptorError(
            f"{argv[0]} is not installed on this machine.",
            hint=f"Install it: apt-get install {argv[0]}",
        )
    # The signal comes when the thread ends that has started it, which waits for it here.
    guard = _WITH_ITS_CALLER + (_ALL_TOGETHER if os.geteuid() == 0 else ())
    process = subprocess.Popen(
        [*guard, *argv],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        umask=0o022,  # modes of checked-out files go into builds, which must be equal
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            out, err = _output(process, timeout, check)
        except subprocess.TimeoutExpired as error:
            raise TooSlow(f"{argv[0]} did not finish within {timeout:g} seconds.") from error
        finally:
            # Its helpers share the group and would outlive it, even when it has ended itself.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return Result(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def _output(
    process: subprocess.Popen[bytes], timeout: float, check: Callable[[], None]
) -> tuple[bytes, bytes]:
    deadline = time.monotonic() + timeout
    while True:
        left = deadline - time.monotonic()
        try:
            return process.communicate(timeout=max(0.0, min(left, _CHECK_SECONDS)))
        except subprocess.TimeoutExpired:
            if left <= _CHECK_SECONDS:
                raise
        check()
