"""Supervisor's client with a real supervisord."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.supervisord import supervisord
from support.waiting import until
from vr.hosts.supervisor import HostUnreachable, Supervisor, SupervisorFault


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    folder = tmp_path_factory.mktemp("supervisor")
    for name, log in (("one", str(folder / "one.log")), ("two", "NONE")):
        (folder / f"{name}.conf").write_text(
            f"[program:{name}]\ncommand=sleep 1000\nstartsecs=0\nstdout_logfile={log}\n"
        )
    with supervisord(folder / "run", f"{folder}/*.conf") as url:
        yield Supervisor("test", url)


def state(supervisor: Supervisor, name: str) -> str:
    return str(supervisor.by_name()[name]["statename"])


def test_programs_are_found_by_name(supervisor: Supervisor) -> None:
    assert sorted(supervisor.by_name()) == ["one", "two"]
    one = supervisor.get("one")
    assert one and one["name"] == "one"


@pytest.mark.parametrize(
    "name",
    ["", "three", "..", "one:*", "one:two", "*", "one/../two", "\0", "a\nb", "\x1b", "\ud800"],
)
def test_other_names_are_simply_not_known(supervisor: Supervisor, name: str) -> None:
    assert supervisor.get(name) is None
    assert supervisor.log_file(name) is None


def test_a_program_has_a_log_or_none(supervisor: Supervisor) -> None:
    log = supervisor.log_file("one")
    assert log and log.name == "one.log" and log.exists()
    assert supervisor.log_file("two") is None


def test_all_are_stopped_at_once_and_started_again(supervisor: Supervisor) -> None:
    supervisor.stop_all()
    for name in ("one", "two"):
        until(lambda name=name: state(supervisor, name) == "STOPPED", f"{name} has stopped")
    supervisor.stop_all()
    for name in ("one", "two"):
        supervisor.start(name)
        supervisor.start(name)
        until(lambda name=name: state(supervisor, name) == "RUNNING", f"{name} runs")


def test_its_refusals_are_ours(supervisor: Supervisor) -> None:
    with pytest.raises(SupervisorFault, match="Supervisor of test: BAD_NAME: three"):
        supervisor.start("three")


def test_it_tells_its_process_and_ends(tmp_path: Path) -> None:
    with supervisord(tmp_path / "run", f"{tmp_path}/*.conf") as url:
        supervisor = Supervisor("test", url)
        assert supervisor.answers()
        assert supervisor.pid() == int((tmp_path / "run" / "supervisord.pid").read_text())
        supervisor.shutdown()
        until(lambda: not supervisor.answers(), "it is gone")
    with pytest.raises(HostUnreachable, match="does not answer"):
        supervisor.all()


def test_a_program_that_is_no_supervisor_is_told_from_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        silent = Supervisor("test", f"http://127.0.0.1:{port}", timeout=0.2)
        assert silent.answers()
        with pytest.raises(HostUnreachable, match="does not answer"):
            silent.all()
