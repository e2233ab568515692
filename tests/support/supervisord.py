"""A supervisord of one's own, on a private unix socket."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.servers import serving
from vr.errors import VelociraptorError
from vr.hosts.supervisor import Supervisor


@contextmanager
def supervisord(folder: Path, include: str, extra: str = "") -> Iterator[str]:
    """Run supervisord in `folder` with the programs of the files `include` matches; yields its
    URL. All that it runs is stopped at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "supervisor.sock"
    conf = folder / "supervisord.conf"
    conf.write_text(f"""\
[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
nodaemon=true
umask=022
[unix_http_server]
file={socket}
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[rpcinterface:vr]
supervisor.rpcinterface_factory=vr.agent.rpc:make_vr_rpcinterface
apps_root={folder}/apps
{extra}
[include]
files={include}
""")
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(conf)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"unix://{socket}"
    with serving(process, lambda: _answers(url), "supervisord", seconds=60):
        yield url


def _answers(url: str) -> bool:
    try:
        Supervisor("test", url).all()
    except VelociraptorError:
        return False
    return True
