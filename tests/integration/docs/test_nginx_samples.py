"""nginx takes the configurations that docs/ shows."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.documents import sample
from support.ports import free_port
from support.tls import certificate


def check(folder: Path, servers: str) -> str:
    """What `nginx -t` says of an nginx with these servers."""
    config = folder / "nginx.conf"
    config.write_text(
        f"pid {folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{servers}\n}}\n"
    )
    done = subprocess.run(
        ["/usr/sbin/nginx", "-t", "-c", str(config), "-e", str(folder / "error.log")],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr


def test_a_pool_and_the_server_that_sends_there(tmp_path: Path) -> None:
    pool = sample("docs/balancers.md", "upstream my_app {").text
    server = sample("docs/balancers.md", "server {").text
    said = check(tmp_path, pool + server.replace("listen 80;", f"listen {free_port()};"))
    assert "test is successful" in said


def test_a_name_of_its_own_with_tls(tmp_path: Path) -> None:
    public, key = certificate(tmp_path, "vr.example.org")
    server = sample("docs/api.md", "server {").text
    for shown, real in (
        ("listen 443", f"listen {free_port()}"),
        ("/etc/ssl/vr.example.org.pem", str(public)),
        ("/etc/ssl/vr.example.org.key", str(key)),
    ):
        assert shown in server
        server = server.replace(shown, real)
    assert "test is successful" in check(tmp_path, server)
