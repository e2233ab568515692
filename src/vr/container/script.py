"""The shell scripts inside a container. Values enter through `shlex.quote` only."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from vr.errors import VelociraptorError

_SUPERVISE = """\
# The app's streams came in as 3 to 5 (see launch.py). This shell's own remarks, such as
# "Terminated", are nobody's business.
exec </dev/null >/dev/null 2>/dev/null
# Whoever stops the container sends TERM to all of its processes, this one included.
stopping=
trap 'stopping=1' TERM INT
# In a subshell: for a plain command this shell would take the redirection for itself.
(exec "$@") <&3 >&4 2>&5 3<&- 4>&- 5>&-
code=$?
exec 3<&- 4>&- 5>&-
# LXC's init waits for every process. A daemon that the command left behind must not keep a
# crashed app looking alive; but when stopping, each has its full time of grace.
if [ -z "$stopping" ] && kill -TERM -1 2>/dev/null; then
    left=20
    while [ "$left" -gt 0 ] && kill -0 -1 2>/dev/null; do /bin/sleep 0.05; left=$((left - 1)); done
    kill -KILL -1 2>/dev/null
fi
exit "$code"
"""

_TERMINAL = """\
# The host makes a terminal as soon as there is a /dev/pts, and keeps it until it is opened here
# (see pty.py). This process leads its session, which the terminal controls from then on.
exec 6>&4
echo >&6
read -r tty <&3 || exit 1
exec 3<>"$tty" 4>&3 5>&3
echo >&6
exec 6>&-
# The host hangs up once the last descriptor is closed below; that must not cost the exit code.
trap : HUP
"""


def start_script(
    env: Mapping[str, str], command: Sequence[str] = (), *, own_terminal: bool = False
) -> str:
    """A /bin/sh script that runs its arguments with exactly `env` and ends with their exit code.

    `command`, if given, is run in place of its arguments, and so seen by nobody else. Its stdin,
    stdout and stderr are the script's descriptors 3 to 5; with `own_terminal` they are pipes to
    agree on one with the host. Raises VelociraptorError for values that no environment can hold.
    """
    own = f"set -- {shlex.join(command)}\n" if command else ""
    terminal = _TERMINAL if own_terminal else ""
    return f"#!/bin/sh\n{terminal}{exports(env)}{own}{_SUPERVISE}"


def exports(env: Mapping[str, str]) -> str:
    """`export` lines for sh and bash; names must be identifiers (checked where they come from)."""
    return "".join(f"export {name}={quoted(name, value)}\n" for name, value in env.items())


def quoted(name: str, value: str) -> str:
    """The value of the variable `name` as one shell word."""
    if "\0" in value:
        raise VelociraptorError(
            f"The environment variable {name} holds a NUL character, which no environment can hold."
        )
    return shlex.quote(value)
