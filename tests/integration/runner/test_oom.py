"""Kills for want of memory are told when they happen, under a real supervisord."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.supervisord import supervisord
from support.waiting import until

BOMB = "python3 -c 'x = b\"x\" * (300 << 20)'"


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[Any], Path]]:
    """Run procs under a supervisord with the publisher; gives a proc's log."""
    with ExitStack() as stack:

        def start(one: Any) -> Path:
            log = tmp_path / "app.log"
            (tmp_path / "app.conf").write_text(
                f"[program:{one.name}]\ncommand={one.paths.launcher}\nautorestart=false\n"
                f"redirect_stderr=true\nstdout_logfile={log}\nstopwaitsecs=20\n"
            )
            listener = f"""\
[eventlistener:proc_publisher]
command={Path(sys.executable).parent}/proc_publisher
events=TICK_5
priority=1
environment=REDIS_URL="unix://{tmp_path}/none.sock",HOSTNAME="test"
stderr_logfile={tmp_path}/publisher.log
"""
            folder = tmp_path / "supervisor"
            stack.enter_context(supervisord(folder, str(tmp_path / "app.conf"), listener))
            return log

        yield start


def test_the_log_tells_at_once_of_a_killed_child_while_its_parent_lives(
    proc: Callable[..., Any], supervise: Callable[[Any], Path], tmp_path: Path
) -> None:
    go = tmp_path / "go"
    go.mkdir()
    command = f"while [ ! -e /go/now ]; do sleep 0.05; done; {BOMB}; echo lives; sleep 1000"
    one = proc(cmd=command, mem_limit="48M", memsw_limit="48M", volumes=[[str(go), "/go"]])
    log = supervise(one.setup())
    publisher = tmp_path / "publisher.log"
    until(lambda: publisher.exists() and "publishing" in publisher.read_text(), "it watches")
    (go / "now").touch()
    until(lambda: log.exists() and "vrun: out of memory" in log.read_text(), "the kill is told")
    (line,) = [line for line in log.read_text().splitlines() if line.startswith("vrun:")]
    assert re.search(rf"at [\d-]+ [\d:]+: .* killed python3, .* of {one.name}, .* use 48M\.", line)
    until(lambda: "lives" in log.read_text(), "the parent goes on")
    assert one.processes()
