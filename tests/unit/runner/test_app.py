"""What a proc runs: with or without the shell that reads .profile.d."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vr.runner.app import App, read_app
from vr.specs.proc import parse


def app(build: Path, **keys: Any) -> App:
    values = {"app_name": "shop", "version": "v1", "config_name": "prod", "cmd": "./web", **keys}
    return read_app(parse(values, "proc.yaml"), Path("proc.yaml"), build, {"A": "1"}, None)


def test_without_a_profile_bash_runs_the_command_at_once(tmp_path: Path) -> None:
    env, argv = app(tmp_path, port=5000).start()
    assert argv == ["/bin/bash", "-c", "./web"]
    assert (env["A"], env["PORT"]) == ("1", "5000")


def test_with_a_profile_the_script_reads_it_first(tmp_path: Path) -> None:
    (tmp_path / "app/.profile.d").mkdir(parents=True)
    assert app(tmp_path).start() == ({}, ["/bin/bash", "/proc.sh", "run"])


def test_a_volume_may_hold_a_profile(tmp_path: Path) -> None:
    assert app(tmp_path, volumes=[["/srv/app", "/app/"]]).has_profile
    assert app(tmp_path, volumes=[["/srv/p", "/app/.profile.d"]]).has_profile
    assert not app(tmp_path, volumes=[["/srv/data", "/app/data"]]).has_profile
