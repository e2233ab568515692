"""An nginx of one's own, on a free port of loopback."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from support.ports import free_port
from support.servers import serving


@dataclass(frozen=True)
class Nginx:
    """A running nginx whose pools a balancer with `config` manages."""

    port: int
    folder: Path
    config: dict[str, Any]

    def get(self, pool: str, path: str = "/") -> httpx.Response:
        """A page of the pool, on a connection of its own."""
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.get(url, headers={"Host": f"{pool}.localhost"}, timeout=10)


@contextmanager
def nginx_server(folder: Path, *, shutdown_seconds: int = 0) -> Iterator[Nginx]:
    """Run nginx in `folder`; yields it, and leaves no process behind. Old workers may finish what
    they serve for `shutdown_seconds`; 0: for ever."""
    pools = folder / "pools"
    for path in (pools, folder / "temp"):
        path.mkdir(parents=True)
    # Its workers are no root and must get at the folder for temporary files.
    for path in (folder, *folder.parents):
        if path.owner() == "root" and path.stat().st_mode & 0o777 == 0o700:
            path.chmod(0o711)
    port = free_port()
    conf = folder / "nginx.conf"
    temp = "".join(
        f"  {kind}_temp_path {folder}/temp/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf.write_text(f"""\
daemon off;
worker_processes 2;
worker_shutdown_timeout {shutdown_seconds}s;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  large_client_header_buffers 8 72k;
{temp}
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  server {{ listen 127.0.0.1:{port} default_server; return 404; }}
  include {pools}/*.conf;
}}
""")
    nginx = f"nginx -c {conf} -e {folder}/error.log"
    process = subprocess.Popen(
        nginx.split(), stdin=subprocess.DEVNULL, env={"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    )
    config = {
        "include_dir": str(pools),
        "test_cmd": f"{nginx} -t",
        "reload_cmd": f"{nginx} -s reload",
        "pid_file": str(folder / "nginx.pid"),
        "listen": f"127.0.0.1:{port}",
        "domain": "localhost",
    }
    found = Nginx(port, folder, config)
    with serving(process, lambda: _answers(found), "nginx"):
        yield found


def _answers(nginx: Nginx) -> bool:
    try:
        return nginx.get("none").status_code == 404
    except httpx.TransportError:
        return False
