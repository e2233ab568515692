"""A proc's Supervisor configuration."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

from vr.hosts.proc_conf import Rotation, render
from vr.paths import ProcPaths

NAME = "shop-v3-prod-1a2b3c4d-web-5003"
FOLDER = Path("/apps/procs") / NAME


def section(text: str) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser[f"program:{NAME}"]


def test_it_runs_the_command_in_the_foreground_as_root() -> None:
    conf = section(render(NAME, ProcPaths(FOLDER), ["/bin/vrun", "run", f"{FOLDER}/proc.yaml"]))
    assert conf["command"] == f"/bin/vrun run {FOLDER}/proc.yaml"
    assert conf["user"] == "root"
    assert conf["autostart"] == conf["autorestart"] == conf["redirect_stderr"] == "true"
    assert conf["stdout_logfile"] == f"{FOLDER}/log"
    assert conf["stdout_logfile_maxbytes"] == "10000000"


def test_its_log_is_bounded() -> None:
    rotation = Rotation(bytes=2_000_000, backups=7)
    conf = section(render(NAME, ProcPaths(FOLDER), ["x"], rotation=rotation))
    assert conf["stdout_logfile_maxbytes"] == "2000000"
    assert conf["stdout_logfile_backups"] == "7"


def test_a_limit_is_for_all_files_together() -> None:
    kept = Rotation(backups=3).kept_to(40 << 20)
    assert (kept.bytes, kept.backups) == (10 << 20, 3)


def test_supervisor_waits_longer_than_the_runner() -> None:
    conf = section(render(NAME, ProcPaths(FOLDER), ["x"], stop_timeout=30))
    assert int(conf["stopwaitsecs"]) > 30
    assert conf["stopsignal"] == "TERM"


def test_odd_paths_stay_whole() -> None:
    command = ["/opt/my apps/50%/vrun", "run", "it's.yaml"]
    conf = section(render(NAME, ProcPaths(FOLDER), command))
    assert shlex.split(conf["command"].replace("%%", "%")) == command
    assert "50%%" in conf["command"]
