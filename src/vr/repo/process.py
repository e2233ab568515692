"""The one way this room runs a program: argument list, clean environment, deadline, own group."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vr.errors import VelociraptorError


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
    argv: Sequence[str], *, env: Mapping[str, str], timeout: float, cwd: Path | None = None
) -> Result:
    """Run `argv` to its end without terminal or input.

    Raises TooSlow after `timeout` seconds and VelociraptorError if the program is not installed.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            umask=0o022,  # modes of checked-out files go into builds, which must be equal
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise VelociraptorError(
            f"{argv[0]} is not installed on this machine.",
            hint=f"Install it: apt-get install {argv[0]}",
        ) from error
    with process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise TooSlow(f"{argv[0]} did not finish within {timeout:g} seconds.") from error
        finally:
            # Its helpers (ssh, git-remote-https) share the group and would outlive it.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Result(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
