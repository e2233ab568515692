"""A proc whose file system holds it to no limit is stopped when it wrote too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.supervisord import supervisord
from support.waiting import until
from vr.agent.disk_watch import DiskWatch
from vr.hosts.supervisor import Supervisor
from vr.paths import Root
from vr.runner import setup, writable_layer
from vr.specs.proc import ProcYaml

FILL = "head -c 20M /dev/zero >/app/big"
HOLD = "head -c 20M /dev/zero >/app/big; exec 7</app/big; rm /app/big"
MANY = "mkdir /app/many; cd /app/many; seq 5500 | xargs touch"
IDLE = "while :; do sleep 1; done"


class Watched:
    """A proc under a supervisord, and who watches its disk."""

    def __init__(self, one: Any, url: str, root: Root, log: Path) -> None:
        self.name = str(one.name)
        self.log = log
        self.supervisor = Supervisor("test", url)
        self.watch = DiskWatch(root, self.supervisor)

    def says(self, text: str) -> bool:
        return self.log.exists() and text in self.log.read_text()

    def state(self) -> str:
        info = self.supervisor.get(self.name)
        return str(info and info["statename"])


@pytest.fixture
def watched(
    proc: Callable[..., Any], root: Root, tmp_path: Path
) -> Iterator[Callable[[str], Watched]]:
    one = proc(cmd="true", disk_watch="8M")
    log, conf = tmp_path / "app.log", tmp_path / "app.conf"
    conf.write_text(
        f"[program:{one.name}]\ncommand={one.paths.launcher}\nautostart=false\n"
        f"redirect_stderr=true\nstdout_logfile={log}\nstopwaitsecs=20\nstartsecs=0\n"
    )
    with supervisord(tmp_path / "supervisor", str(conf)) as url:

        def start(command: str) -> Watched:
            one.change(cmd=f"{command}; echo ready; {IDLE}")
            one.setup()
            found = Watched(one, url, root, log)
            found.supervisor.start(found.name)
            until(lambda: found.says("ready"), "it has written")
            return found

        yield start


@pytest.mark.parametrize(
    "command", [FILL, HOLD, MANY], ids=["in a folder", "in a file without a name", "empty files"]
)
def test_it_is_stopped_and_its_log_says_why(
    watched: Callable[[str], Watched], command: str
) -> None:
    one = watched(command)
    one.watch.look()
    until(lambda: one.state() == "STOPPED", "it is stopped")
    over = one.watch.over(one.name)
    assert over is not None and over.limit == 8 << 20 and over.used > 20 << 20
    assert one.log.read_text().count("vrun: out of disk at") == 1
    assert "has written 2" in one.log.read_text() and "may write 8M" in one.log.read_text()

    one.watch.look()
    assert one.state() == "STOPPED", "one that is stopped is not looked at"
    one.watch.forget(one.name)
    assert one.watch.over(one.name) is None


def test_one_that_wrote_less_runs_on(watched: Callable[[str], Watched]) -> None:
    one = watched("head -c 4M /dev/zero >/app/big; head -c 20M /dev/zero >/tmp/big")
    one.watch.look()
    assert (one.state(), one.watch.over(one.name)) == ("RUNNING", None)


def test_a_host_without_loop_devices_watches_a_disk_limit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = ProcYaml(app_name="a", version="v", config_name="c", cmd="true", disk_limit="32M")
    assert setup._disk_limits(one) == (32 << 20, None)
    monkeypatch.setattr(writable_layer, "_LOOP_DEVICES", tmp_path / "loop-control")
    assert setup._disk_limits(one) == (None, 32 << 20)
    assert "disk_limit is watched only" in capsys.readouterr().out
