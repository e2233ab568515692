"""Starts nginx in the place of a master that was killed.

    python -m vr.up.nginx_master ADDRESS PORT NGINX ARGUMENT…

The workers of a killed master keep the port, so no new master could listen, and none could tell
them of new pools. They are asked to give up the port and to finish what they serve. Then nginx
takes the place of this process, which works in nginx's folder.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from vr.machine.ports import listen_error
from vr.machine.processes import send_signal
from vr.up import leftovers

_GIVE_UP_SECONDS = 3.0


def main() -> None:
    address, port, *command = sys.argv[1:]
    end_former_workers(Path.cwd(), address, int(port))
    os.execvp(command[0], command)


def end_former_workers(folder: Path, address: str, port: int) -> None:
    """Free the port of workers without a master; those that keep it are killed."""
    for pid in leftovers.working_in([folder]):
        send_signal(pid, signal.SIGQUIT)

    def is_free() -> bool:
        return listen_error(address, port) is None

    if leftovers.working_in([folder]) and not leftovers.until(is_free, _GIVE_UP_SECONDS):
        for pid in leftovers.working_in([folder]):
            send_signal(pid, signal.SIGKILL)
        leftovers.until(is_free, _GIVE_UP_SECONDS)


if __name__ == "__main__":
    main()
