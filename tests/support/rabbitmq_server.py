"""A RabbitMQ of one's own on loopback, from Debian's package, with its Erlang port mapper."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.ports import free_port
from support.servers import serving

BIN = Path("/usr/lib/rabbitmq/bin")
# It refuses to run as root.
_ACCOUNT = "rabbitmq"


@contextmanager
def tls_rabbitmq_server(folder: Path, password: str, tls: tuple[Path, Path]) -> Iterator[str]:
    """Run RabbitMQ in `folder`, to which its account must get; yields its address for the user
    `vr` with `password`, and leaves no process behind. `tls` as for Redis."""
    folder.mkdir(parents=True, exist_ok=True)
    port, distribution, mapper = (free_port() for _ in range(3))
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp = none\nlisteners.ssl.1 = 127.0.0.1:{port}\n"
        f"ssl_options.certfile = {folder / 'cert.pem'}\n"
        f"ssl_options.keyfile = {folder / 'key.pem'}\n"
        f"ssl_options.cacertfile = {folder / 'cert.pem'}\n"
        "ssl_options.verify = verify_none\n"
        "distribution.listener.interface = 127.0.0.1\n"
        f"distribution.listener.port_range.min = {distribution}\n"
        f"distribution.listener.port_range.max = {distribution}\n"
        f"default_user = vr\ndefault_pass = {password}\ndefault_vhost = /\n"
    )
    (folder / "plugins").write_text("[].\n")
    for file, name in zip(tls, ("cert.pem", "key.pem"), strict=True):
        shutil.copyfile(file, folder / name)
    cookie = folder / ".erlang.cookie"
    cookie.write_text("only-for-tests")
    cookie.chmod(0o400)
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, _ACCOUNT, _ACCOUNT)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        # Several may run on one machine, each with a port mapper of its own.
        "RABBITMQ_NODENAME": f"vr{port}@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    drop = ["setpriv", f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--init-groups"]
    # RabbitMQ would start one that outlives it.
    epmd = subprocess.Popen([*drop, "epmd"], env=environment, stdin=subprocess.DEVNULL, cwd=folder)
    with (
        serving(epmd, lambda: _accepts(mapper), "epmd"),
        (folder / "rabbitmq.log").open("wb") as log,
    ):
        process = subprocess.Popen(
            [*drop, str(BIN / "rabbitmq-server")],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
        what = f"RabbitMQ (see {folder})"
        with serving(process, lambda: _accepts(port), what, seconds=40, start_seconds=60):
            yield f"amqps://vr:{password}@localhost:{port}//"


def _accepts(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
