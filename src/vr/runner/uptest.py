"""vrun uptest: the app's own checks, each in a container like the proc's (docs/reference/vrun.md).

One container for each script: a script that hangs is killed with all its children, and none can
disturb the next.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vr.container.launch import PIPE, STDOUT, Running, start
from vr.container.network import PrivateNetwork
from vr.container.spec import Container
from vr.errors import VelociraptorError
from vr.paths import ProcPaths, Root
from vr.runner import setup_record
from vr.runner.environment import PROC_SCRIPT
from vr.runner.twin import twin
from vr.specs.proc import ProcYaml, load

OUTPUT_LIMIT = 64 << 10
"""How many bytes of a script's output are kept."""

_LIST_SECONDS = 30.0

# Lists /app/uptests/<proc>: for each entry that is no folder and not hidden its name and a NUL;
# bash sorts by name. In the container, because there links lead where the app sees them lead.
_LIST = """\
cd "/app/uptests/$1" 2>/dev/null || exit 0
LC_ALL=C
for file in *; do
    if [ -L "$file" ] || [ -e "$file" ]; then [ -d "$file" ] || printf '%s\\0' "$file"; fi
done
"""
_RUN = """\
file=/app/uptests/$1/$2
if [ ! -e "$file" ]; then echo "$2 is a link that leads nowhere"; exit 126; fi
if [ ! -x "$file" ]; then echo "$2 is not executable; use chmod +x"; exit 126; fi
shift 2
exec "$file" "$@"
"""


class UptestResult(msgspec.Struct, frozen=True):
    """One script's result, with the original's key names; `Duration` in seconds."""

    Name: str
    Passed: bool
    Output: str
    Duration: float


@dataclass(frozen=True)
class _Place:
    """Where the tests of one proc run."""

    root: Root
    paths: ProcPaths
    container: Container


@dataclass(frozen=True)
class _Outcome:
    output: bytes
    code: int | None
    """None: it was killed because its time was over."""
    seconds: float
    oom_kills: int


def uptest(proc_yaml: Path, *, root: Root) -> list[UptestResult]:
    """Run the uptests of this file's proc, in name order, against its host and port.

    Takes no lock and disturbs nothing that runs. Raises VelociraptorError if the proc is not set
    up on this host or its containers can't be started.
    """
    proc = load(proc_yaml)
    paths = root.proc(str(proc.name))
    place = _Place(root, paths, setup_record.load(paths, proc_yaml))
    if not proc.proc_name:
        return []
    return [_test(place, proc, name) for name in _scripts(place, proc.proc_name)]


def to_json(results: Iterable[UptestResult]) -> str:
    """The JSON array that is all of vrun uptest's stdout."""
    return msgspec.json.encode(list(results)).decode()


def _scripts(place: _Place, proc_name: str) -> list[str]:
    outcome = _execute(place, ["/bin/bash", "-c", _LIST, "list", proc_name], None)
    if outcome.code != 0:
        raise VelociraptorError(
            f"The uptests of {place.container.name} could not be listed.",
            details=outcome.output.decode(errors="replace"),
        )
    return [os.fsdecode(name) for name in outcome.output.split(b"\0")[:-1]]


def _test(place: _Place, proc: ProcYaml, name: str) -> UptestResult:
    assert proc.proc_name
    address = [proc.host or _this_host(place.container), str(proc.port or 0)]
    argv = ["/bin/bash", PROC_SCRIPT, "/bin/bash", "-c", _RUN, "uptest", proc.proc_name, name]
    outcome = _execute(place, [*argv, *address], proc.uptest_timeout)
    tested = result(name, outcome.output, outcome.code, outcome.seconds, proc.uptest_timeout)
    if outcome.oom_kills:
        said = f"{tested.Output}{_line_break(tested.Output)}"
        reason = f"out of memory: {outcome.oom_kills} process(es) killed"
        return msgspec.structs.replace(tested, Output=said + reason)
    return tested


def _this_host(container: Container) -> str:
    """Where the proc answers, as its tests see it."""
    network = container.network
    return network.host if isinstance(network, PrivateNetwork) else "localhost"


def result(
    name: str, output: bytes, code: int | None, seconds: float, timeout: float
) -> UptestResult:
    """What to report of a script that ended with `code`, or None when its time was over."""
    text = output[:OUTPUT_LIMIT].decode(errors="replace")
    if len(output) > OUTPUT_LIMIT:
        text += f"\n(output cut after {OUTPUT_LIMIT} bytes)\n"
    if code is None:
        text += f"{_line_break(text)}killed after {timeout:g} seconds"
    elif code and not text.strip():
        text = f"exit status {code}"
    return UptestResult(Name=name, Passed=code == 0, Output=text, Duration=round(seconds, 3))


def _line_break(text: str) -> str:
    return "\n" if text and not text.endswith("\n") else ""


def _execute(place: _Place, argv: list[str], timeout: float | None) -> _Outcome:
    seconds = _LIST_SECONDS if timeout is None else timeout
    with twin(place.root, place.paths, place.container, "UP") as (copy, folder):
        begun = time.monotonic()
        with start(copy, folder, argv, env={}, stdout=PIPE, stderr=STDOUT) as running:
            output, ended = _read(running, begun + seconds)
            code = running.wait() if ended else None
        kills = running.oom_kills()
    return _Outcome(output, code, time.monotonic() - begun, kills)


def _read(running: Running, deadline: float) -> tuple[bytes, bool]:
    """The output, a little more than is kept of it, and whether it ended before the deadline."""
    assert running.stdout
    descriptor = running.stdout.fileno()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    kept = b""
    while (left := deadline - time.monotonic()) > 0:
        if not poll.poll(left * 1000):
            break
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            return kept, True
        if len(kept) <= OUTPUT_LIMIT:
            kept += chunk
    return kept, False
