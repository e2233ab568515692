"""A PostgreSQL of one's own, on a private unix socket, from Debian's binaries."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.servers import serving

BIN = Path("/usr/lib/postgresql/15/bin")
# PostgreSQL refuses to run as root.
_ACCOUNT = "nobody"
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


@contextmanager
def postgres_server(folder: Path, *, port: int | None = None) -> Iterator[str]:
    """Run a new cluster in `folder`; yields a database URL, and leaves no process behind.

    With `port` it listens on loopback, too, and that is the URL.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.chown(folder, _ACCOUNT)
    for parent in folder.parents:
        # pytest's folders are closed to others; nobody has to pass through.
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    data = folder / "data"
    drop = ["setpriv", f"--reuid={_ACCOUNT}", "--regid=nogroup", "--clear-groups"]
    prefix = drop if os.getuid() == 0 else []
    subprocess.run(
        [*prefix, str(BIN / "initdb"), "-D", str(data), "-U", "vr", "-A", "trust", "-N"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd="/",
    )
    argv = [*prefix, str(BIN / "postgres"), "-D", str(data), "-k", str(folder)]
    argv += ["-h", "127.0.0.1", "-p", str(port)] if port else ["-h", ""]
    for setting in _FAST:
        argv += ["-c", setting]
    with (folder / "postgres.log").open("wb") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd="/"
        )
    ready = [str(BIN / "pg_isready"), "-q", "-h", str(folder), "-p", str(port or 5432)]

    def answers() -> bool:
        return subprocess.run(ready, check=False).returncode == 0

    with serving(process, answers, f"PostgreSQL (see {folder / 'postgres.log'})"):
        at = f"vr@127.0.0.1:{port}/postgres" if port else f"vr@/postgres?host={folder}"
        yield f"postgresql://{at}"
