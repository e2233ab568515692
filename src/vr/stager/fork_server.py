"""The server that tasks' processes are forked from, with a socket that no folder knows.

multiprocessing would put the socket below TMPDIR: it stayed there after a `kill -9`, and a TMPDIR
of more than a hundred characters made an address that is too long.
"""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing import forkserver, process
from pathlib import Path
from threading import Lock
from typing import Any

_lock = Lock()
# What multiprocessing has no public names for: its server, and where it makes sockets.
_server: Any = forkserver._forkserver


def ensure_running(folder: Path) -> None:
    """Start the server unless it runs, with everything imported that tasks need.

    Its socket lies in `folder` for the moment until it is opened. Call it before threads are
    started, and before each process, as the server may have been killed. Raises OSError.
    """
    with _lock:
        multiprocessing.set_forkserver_preload(["vr.stager.preload"])
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        settings: dict[str, Any] = process.current_process()._config  # type: ignore[attr-defined]
        try:
            # Short, however long the folder's own path is.
            settings["tempdir"] = f"/proc/self/fd/{handle}"
            forkserver.ensure_running()
            address = _server._forkserver_address
            if address.startswith(settings["tempdir"]):
                socket = os.open(address, os.O_PATH | os.O_CLOEXEC)
                Path(address).unlink()
                _server._forkserver_address = f"/proc/self/fd/{socket}"
        finally:
            del settings["tempdir"]
            os.close(handle)
