"""A real Celery worker of the server, with the database and machine of a test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from django.db import connection

from vr.settings.readers import ports_text


def environment(settings: Any, folder: Path) -> dict[str, str]:
    """The variables that give another process the settings of this test."""
    balancers = folder / "balancers.yaml"
    balancers.write_text(yaml.safe_dump({"BALANCERS": settings.BALANCERS}))
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("VR_")},
        "DJANGO_SETTINGS_MODULE": "vr.server.settings",
        "VR_HOME": str(folder),
        "VR_SECRET_KEY": settings.SECRET_KEY,
        "VR_DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "VR_REDIS_URL": settings.REDIS_URL,
        "VR_FILES": str(settings.FILES_ROOT),
        "VR_ROOT": str(settings.VR_ROOT),
        "VR_SUPERVISOR_URL": settings.SUPERVISOR_URL,
        "VR_LOCAL_HOST": settings.LOCAL_HOST,
        "VR_PORT_RANGE": ports_text(settings.PORT_RANGE),
        "VR_SETTLE_SECONDS": str(settings.SETTLE_SECONDS),
        "VR_BALANCERS_FILE": str(balancers),
    }


@contextmanager
def celery_worker(
    env: dict[str, str], log: Path, *, threads: int = 4, queue: str = ""
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker as `vr up` does, of one queue or of all; it is killed at the end, if a test
    hasn't done that."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "vr.server.celery_app", "worker"),
                *("--pool", "threads", "--concurrency", str(threads), "--loglevel", "INFO"),
                *("--without-gossip", "--without-mingle", "--hostname", f"{queue or 'test'}@local"),
                *(["-Q", queue] if queue else []),
            ],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
