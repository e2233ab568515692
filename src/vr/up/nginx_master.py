"""Starts nginx in the place of a master that was killed.

    python -m vr.up.nginx_master CONFIGURATION NGINX ARGUMENT…

The workers of a killed master keep the port, so no new master could listen, and none could tell
them of new pools. They are asked to give up the port and to finish what they serve. Then nginx
takes the place of this process, which works in nginx's folder.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

from vr.machine.ports import listen_error
from vr.machine.processes import send_signal
from vr.up import leftovers

_GIVE_UP_SECONDS = 3.0


def main() -> None:
    path, *command = sys.argv[1:]
    address, port = listens_at(Path(path).read_text())
    end_former_workers(Path.cwd(), address, port)
    os.execvp(command[0], command)


def listens_at(configuration: str) -> tuple[str, int]:
    """The address and port of nginx's configuration, as render.py writes it: those of now, also
    when supervisord goes by what it was told long ago."""
    address, port = re.findall(r"^ *listen (\S+):(\d+) default_server;$", configuration, re.M)[0]
    return address.strip("[]"), int(port)


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
