"""The one way this room runs a program: argument list, clean environment, deadline.

Nothing of it outlives its caller. As root it gets a pid namespace of its own, with which all its
helpers (ssh, git-remote-https) end, too; what talks to strangers runs as a user without rights.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vr.errors import VelociraptorError
from vr.repo import confined

_WITH_ITS_CALLER = ("setpriv", "--pdeathsig", "KILL", "--")
_CHECK_SECONDS = 0.3
_ALL_TOGETHER = ("unshare", "--pid", "--fork", "--kill-child=KILL")


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


@dataclass(frozen=True)
class Stranger:
    """What a program may have that talks to a stranger's server: root's keys of ssh or not, and
    these files of the caller's (named in HGRCPATH or GIT_CONFIG_SYSTEM)."""

    with_ssh: bool = False
    files: tuple[Path, ...] = ()


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    timeout: float,
    stranger: Stranger | None = None,
    check: Callable[[], None] = lambda: None,
) -> Result:
    """Run `argv`, in which Paths are the folders that it works in, to its end without terminal or
    input. For a `stranger`, and as root, it is confined to those folders, which become its user's.

    Raises TooSlow after `timeout` seconds, VelociraptorError if the program is not installed, and
    what `check` raises, which is called again and again meanwhile.
    """
    program = str(argv[0])
    if shutil.which(program, path=env.get("PATH")) is None:
        raise VelociraptorError(
            f"{program} is not installed on this machine.",
            hint=f"Install it: apt-get install {program}",
        )
    with _command(argv, env, stranger) as (command, its_env):
        return _run(program, command, its_env, timeout, check)


def give_back(folder: Path) -> None:
    """Give `folder` to root, as what a `stranger`'s program wrote is its user's."""
    if os.geteuid() == 0:
        confined.take_back(folder)


@contextmanager
def _command(
    argv: Sequence[str | Path], env: Mapping[str, str], stranger: Stranger | None
) -> Iterator[tuple[list[str], dict[str, str]]]:
    if os.geteuid() != 0:
        yield [*_WITH_ITS_CALLER, *map(str, argv)], dict(env)
        return
    guard = [*_WITH_ITS_CALLER, *_ALL_TOGETHER]
    if stranger is None:
        yield [*guard, "--", *map(str, argv)], dict(env)
        return
    for folder in argv:
        if isinstance(folder, Path):
            confined.hand_over(folder)
    with tempfile.TemporaryDirectory(prefix="vr-fetch-") as place:
        inner = confined.guarded(
            argv,
            stranger.files,
            place=Path(place),
            home=env.get("HOME", "/nonexistent"),
            with_ssh=stranger.with_ssh,
        )
        yield (
            [*guard, "--mount-proc", "--", *inner],
            confined.environment(env, argv, stranger.files),
        )


def _run(
    program: str,
    command: Sequence[str],
    env: Mapping[str, str],
    timeout: float,
    check: Callable[[], None],
) -> Result:
    # The signal of setpriv comes when the thread ends that has started it, which waits here.
    process = subprocess.Popen(
        command,
        env=env,
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
            raise TooSlow(f"{program} did not finish within {timeout:g} seconds.") from error
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
