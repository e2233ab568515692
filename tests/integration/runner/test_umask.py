"""A careful umask of the caller must not lock the app out of its own container."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from support.images import test_image


def test_setup_under_umask_077_makes_a_proc_that_its_user_can_run(tmp_path: Path) -> None:
    proc = tmp_path / "proc.yaml"
    proc.write_text(
        "app_name: umask\nversion: v1\nconfig_name: test\nrelease_hash: abc\nproc_name: web\n"
        "port: 1\nuser: nobody\ngroup: nogroup\ncmd: echo works\n"
        f"image_name: umasktest\nimage_url: {test_image()}\n"
    )
    env = {**os.environ, "VR_ROOT": str(tmp_path / "apps")}

    def vrun(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "vrun"), command, str(proc)],
            env=env,
            umask=0o077,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    try:
        setup = vrun("setup")
        assert setup.returncode == 0, setup.stderr
        ran = vrun("run")
        assert (ran.returncode, ran.stdout) == (0, "works\n"), ran.stderr
    finally:
        vrun("teardown")
