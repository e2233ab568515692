"""`make fleet`: four hosts of network namespaces, and the server of a fleet beside them; `make
fleet-down` ends all of it. What is said to the fleet never leaves these namespaces and loopback.

    python -m playground up|down
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from playground import fleet
from support.waiting import until
from vr.machine.processes import process

FOLDER = Path("/var/tmp/vr-playground")
_PID, _LOG, _READY = FOLDER / "pid", FOLDER / "log", FOLDER / "ready"
_UP_SECONDS, _DOWN_SECONDS = 300.0, 120.0


def main(argv: list[str]) -> int:
    """`up` or `down`; the exit status."""
    if os.getuid() != 0:
        print("The fleet's hosts are made of namespaces and containers: run it as root.")
        return 1
    match argv:
        case ["up"]:
            return up()
        case ["down"]:
            return down()
        case ["serve"]:
            return serve()
        case _:
            print(__doc__)
            return 2


def up() -> int:
    """Start the fleet in the background, and wait until all of it answers."""
    if _runs():
        print(_READY.read_text() if _READY.exists() else "It is on its way up.")
        return 0
    down()
    FOLDER.mkdir(mode=0o711)
    with _LOG.open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "playground", "serve"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _PID.write_text(f"{started.pid} {_start_of(started.pid)}")
    shown = 0
    deadline = time.monotonic() + _UP_SECONDS
    while not _READY.exists():
        shown += _show(shown)
        if started.poll() is not None or time.monotonic() > deadline:
            print(f"The fleet did not come up; {_LOG} says why. `make fleet-down` cleans up.")
            return 1
        time.sleep(0.2)
    _show(shown)
    print(_READY.read_text())
    return 0


def down() -> int:
    """End the fleet, also one whose own process was killed."""
    if _runs():
        pid = int(_PID.read_text().split()[0])
        os.kill(pid, signal.SIGTERM)
        until(lambda: not _runs(), "the fleet has ended", seconds=_DOWN_SECONDS)
    fleet.clear(FOLDER)
    shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


def serve() -> int:
    """What the process in the background does until it is told to end."""
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    with fleet.running(FOLDER) as said:
        (FOLDER / "new").write_text(said)
        (FOLDER / "new").rename(_READY)
        while not ended:
            signal.pause()
    return 0


def _show(already: int) -> int:
    """Print what the log has got since so many characters; returns how many these are."""
    text = _LOG.read_text(errors="replace")[already:]
    print(text, end="", flush=True)
    return len(text)


def _runs() -> bool:
    try:
        pid, started = _PID.read_text().split()
    except (OSError, ValueError):
        return False
    return _start_of(int(pid)) == started


def _start_of(pid: int) -> str:
    found = process(pid)
    return str(found.started) if found else ""


sys.exit(main(sys.argv[1:]))
