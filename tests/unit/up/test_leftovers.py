"""What a part leaves when those that started it are gone: found by its folder, and ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from support.ports import free_port
from support.waiting import until
from vr.machine import ports
from vr.up import leftovers, nginx_master

_LISTENS = """
import signal, socket, sys
on = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if sys.argv[2] == "gives up":
    signal.signal(signal.SIGQUIT, lambda *_: on.close())
else:
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    signal.pause()
"""


def orphan(folder: Path, port: int, manner: str = "keeps") -> subprocess.Popen[bytes]:
    one = subprocess.Popen(
        [sys.executable, "-c", _LISTENS, str(port), manner], cwd=folder, start_new_session=True
    )
    until(lambda: ports.answers(port), "it listens")
    return one


def test_only_what_works_in_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    ours, other = orphan(tmp_path, free_port()), orphan(tmp_path / "other", free_port())
    try:
        assert leftovers.working_in([tmp_path]) == [ours.pid]
    finally:
        for one in (ours, other):
            one.kill()
            one.wait()


def test_what_ignores_its_end_is_killed(tmp_path: Path) -> None:
    one = orphan(tmp_path, free_port())
    assert leftovers.end([tmp_path], seconds=0.1) == 1
    assert one.wait(5) == -signal.SIGKILL
    assert leftovers.end([tmp_path], seconds=0.1) == 0


def test_workers_that_give_up_their_port_may_finish_what_they_serve(tmp_path: Path) -> None:
    port = free_port()
    one = orphan(tmp_path, port, "gives up")
    try:
        nginx_master.end_former_workers(tmp_path, "127.0.0.1", port)
        assert not ports.answers(port)
        assert one.poll() is None
    finally:
        one.kill()
        one.wait()


def test_workers_that_keep_their_port_are_killed(tmp_path: Path) -> None:
    port = free_port()
    one = orphan(tmp_path, port)
    nginx_master.end_former_workers(tmp_path, "127.0.0.1", port)
    assert one.wait(5) == -signal.SIGKILL
    assert ports.is_free(port)
