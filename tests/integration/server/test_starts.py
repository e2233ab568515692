"""Every process of the server, started as users do with wrong settings: sentences, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.ports import free_port

PROCESSES = {
    "web": ["uvicorn", "vr.server.asgi:application", "--port", "{port}"],
    "worker": ["celery", "-A", "vr.server.celery_app", "worker", "--pool", "threads"],
    "beat": ["celery", "-A", "vr.server.celery_app", "beat", "--schedule", "{folder}/beat"],
    "manage": ["vr.server.manage", "migrate"],
    "manage without a command": ["vr.server.manage"],
}


@pytest.mark.parametrize("process", PROCESSES)
def test_wrong_settings_end_it_with_every_problem_and_code_2(process: str, tmp_path: Path) -> None:
    module, *arguments = (
        part.format(port=free_port(), folder=tmp_path) for part in PROCESSES[process]
    )
    (tmp_path / "balancers.yaml").write_text("BALANCERS: {a: {BACKEND: nowhere.Balancer}}")
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={
            **os.environ,
            "VR_HOME": str(tmp_path),
            "VR_START_SECONDS": "abc",
            "VR_PORT_RANGE": "abc",
            "VR_SECRET_KEY_FILE": str(tmp_path / "none"),
            "VR_DATABASE_URL": "mysql://me:hunter2@host/name",
            "VR_BALANCERS_FILE": str(tmp_path / "balancers.yaml"),
            "VR_SITE_TITEL": "Ours",
        },
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    for variable in (
        *("VR_START_SECONDS", "VR_PORT_RANGE", "VR_SECRET_KEY_FILE", "VR_DATABASE_URL"),
        *("VR_BALANCERS_FILE", "VR_SITE_TITEL"),
    ):
        assert f"  - {variable}: " in done.stderr
    assert "6 problems" in done.stderr
    assert "Traceback" not in said and "hunter2" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["balancers.yaml"]
