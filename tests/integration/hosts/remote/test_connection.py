"""The same promises of a host, kept by this machine directly and by one that SSH reaches."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from support.ports import free_port
from support.sshd_server import Sshd, sshd
from support.supervisord import supervisord
from support.waiting import until
from vr.errors import Busy, VelociraptorError
from vr.hosts.connection import HostConnection, Result
from vr.hosts.local import LocalConnection
from vr.hosts.remote.address import SshAddress
from vr.hosts.remote.connection import RemoteConnection
from vr.hosts.remote.links import Links
from vr.hosts.supervisor import HostUnreachable, Supervisor, SupervisorFault
from vr.paths import Root

TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def supervisor_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("supervisor")
    (folder / "one.conf").write_text("[program:one]\ncommand=sleep 1000\nstartsecs=0\n")
    with supervisord(folder / "run", f"{folder}/*.conf") as url:
        yield url


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def links() -> Iterator[Links]:
    links = Links()
    yield links
    links.close()


@pytest.fixture
def to(server: Sshd, supervisor_url: str, tmp_path: Path) -> SshAddress:
    return SshAddress(
        name="one",
        address="127.0.0.1",
        port=server.port,
        host_key=server.host_key,
        private_key=server.private_key,
        root=str(tmp_path),
        supervisor=supervisor_url,
        tools=str(TOOLS),
    )


@pytest.fixture(params=["local", "ssh"])
def host(
    request: pytest.FixtureRequest,
    to: SshAddress,
    links: Links,
    supervisor_url: str,
    tmp_path: Path,
) -> HostConnection:
    if request.param == "ssh":
        return _connection(to, links)
    return LocalConnection(
        "localhost", Root(tmp_path), Supervisor("localhost", supervisor_url), TOOLS
    )


def test_commands_run_to_their_end_with_their_input(host: HostConnection) -> None:
    done = host.run(["sh", "-c", "cat; echo $HOME >&2; exit 3"], input=b"\x00\xff in")
    assert (done.status, done.stdout, done.stderr) == (3, b"\x00\xff in", b"/root\n")


def test_a_command_that_cannot_be_started_or_lasts_too_long_is_a_sentence(
    host: HostConnection,
) -> None:
    with pytest.raises(VelociraptorError, match="/no/such can't be run"):
        host.run(["/no/such"])
    with pytest.raises(VelociraptorError, match="was not done after 0 s"):
        host.run(["sleep", "60"], timeout=0.2)


def test_a_command_that_was_begun_is_asked_for_until_it_ends(
    host: HostConnection, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    script = f"until [ -e {go} ]; do sleep 0.05; done; echo done; echo oops >&2; exit 3"
    command = host.begin(["sh", "-c", script])
    assert command.poll() is None
    go.touch()
    until(lambda: command.poll() is not None, "it has ended")
    assert command.poll() == Result(3, b"done\n", b"oops\n")
    command.close()
    command.close()

    with pytest.raises(VelociraptorError, match="/no/such can't be run on"):
        host.begin(["/no/such"])
    late = host.begin(["sleep", "1000"], timeout=0.1)
    with pytest.raises(VelociraptorError, match=r"sleep on .* was not done after 0 s"):
        until(lambda: late.poll() is not None, "its time is over")


def test_many_commands_that_last_delay_no_look(host: HostConnection, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"until [ -e {go} ]; do sleep 1; done"
    commands = [host.begin(["sh", "-c", script]) for _ in range(80)]
    try:
        assert host.exists(tmp_path)
        assert not any(command.poll() for command in commands)
    finally:
        go.touch()
        until(lambda: all(command.poll() for command in commands), "all have ended")


def test_files_are_written_read_and_removed(host: HostConnection, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    host.make_folder(folder, 0o700)
    host.write(folder / "f", "text ä", 0o600)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "f").stat().st_mode & 0o777 == 0o600
    assert host.read(folder / "f") == "text ä".encode()
    assert host.tail(folder / "f", 2) == "ä".encode()
    assert host.exists(folder / "f")
    host.remove(folder)
    host.remove(folder)
    assert not folder.exists()
    assert host.read(folder / "f") is None
    assert host.tail(folder / "f", 2) == b""


def test_a_file_of_megabytes_comes_whole(host: HostConnection, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    (tmp_path / "big").write_bytes(content)
    assert host.read(tmp_path / "big") == content


def test_a_log_is_followed_over_its_rotation(host: HostConnection, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo\n")
    reader = host.follow(log, 4)
    assert reader.read() == b"two\n"
    assert reader.read() == b""
    with log.open("ab") as file:
        file.write(b"three\n")
    log.rename(tmp_path / "log.1")
    log.write_bytes(b"four\n")
    seen = b""

    def all_seen() -> bool:
        nonlocal seen
        seen += reader.read()
        return seen == b"three\nfour\n"

    until(all_seen, "both files are read")
    reader.close()


def test_a_lock_is_held_by_one_and_waited_for(host: HostConnection, tmp_path: Path) -> None:
    path = tmp_path / "locks" / "pool"
    with host.lock(path), pytest.raises(Busy), host.lock(path, wait=0):
        pass
    with host.lock(path, wait=0):
        pass


def test_ports_are_looked_at_where_the_host_is(host: HostConnection) -> None:
    port = free_port()
    assert host.is_free(port)
    assert not host.accepts(port)
    status, said = host.ask(port, "/")
    assert status == 0 and "no answer" in said


def test_its_supervisor_answers_and_refuses(host: HostConnection) -> None:
    assert host.supervisor.answers()
    assert sorted(host.supervisor.by_name()) == ["one"]
    assert host.supervisor.get("none") is None
    with pytest.raises(SupervisorFault, match="BAD_NAME: three"):
        host.supervisor.start("three")


def test_what_a_host_refuses_names_it(to: SshAddress, links: Links, tmp_path: Path) -> None:
    with pytest.raises(VelociraptorError, match=r"On one: Is a directory"):
        _connection(to, links).read(tmp_path)


def test_one_connection_serves_all_threads(to: SshAddress, links: Links, server: Sshd) -> None:
    host = _connection(to, links)
    with ThreadPoolExecutor(32) as threads:
        done = list(threads.map(lambda n: host.run(["echo", str(n)]).stdout, range(100)))
    assert done == [f"{n}\n".encode() for n in range(100)]
    assert len(server.sessions()) == 1


def test_a_long_command_delays_no_look(to: SshAddress, links: Links, tmp_path: Path) -> None:
    host = _connection(to, links)
    go_on = tmp_path / "go-on"
    waiting = f"while ! [ -e {go_on} ]; do sleep 0.05; done"
    thread = threading.Thread(target=host.run, args=[["sh", "-c", waiting]])
    thread.start()
    assert host.exists(tmp_path)
    go_on.touch()
    thread.join(20)
    assert not thread.is_alive()


def test_another_host_key_is_told_and_nothing_is_sent(to: SshAddress, links: Links) -> None:
    other = replace(to, host_key=_some_key())
    with pytest.raises(HostUnreachable, match="another SSH host key") as error:
        _connection(other, links).exists(Path("/"))
    assert "--new-key" in error.value.hint


def test_a_key_that_is_not_let_in_and_an_address_where_nobody_is(
    to: SshAddress, links: Links, tmp_path: Path
) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True
    )
    stranger = replace(to, private_key=(tmp_path / "k").read_text())
    with pytest.raises(HostUnreachable, match="does not let the server sign in"):
        _connection(stranger, links).exists(Path("/"))
    with pytest.raises(HostUnreachable, match="can't be reached by SSH"):
        _connection(replace(to, port=free_port()), links).exists(Path("/"))


def test_a_host_without_our_service_says_what_it_has(to: SshAddress, links: Links) -> None:
    with pytest.raises(HostUnreachable, match="the service ended") as error:
        _connection(replace(to, tools="/no/where"), links).exists(Path("/"))
    assert "/no/where/python" in error.value.details


def test_a_host_that_failed_is_not_asked_again_at_once(to: SshAddress, links: Links) -> None:
    port = free_port()
    nobody = _connection(replace(to, port=port), links)
    with pytest.raises(HostUnreachable) as first:
        nobody.exists(Path("/"))
    with pytest.raises(HostUnreachable) as second:
        nobody.exists(Path("/"))
    assert second.value is first.value


def test_a_lost_connection_is_told_and_made_anew(
    to: SshAddress, links: Links, server: Sshd, tmp_path: Path
) -> None:
    host = _connection(to, links)
    lock = tmp_path / "lock"
    with host.lock(lock):
        log = host.follow(lock, 1)
        for pid in server.sessions():
            subprocess.run(["kill", "-9", str(pid)], check=True)
        with pytest.raises(HostUnreachable):
            log.read()
        # The host has dropped the lock with the connection.
        other = _connection(to, links)
        until(lambda: _can_lock(other, lock), "another can lock")
    assert host.exists(lock)


def test_its_secret_is_in_no_text(to: SshAddress) -> None:
    assert "PRIVATE KEY" not in repr(to)


def _connection(to: SshAddress, links: Links) -> RemoteConnection:
    return RemoteConnection(to.name, lambda: to, links, root=to.root, tools=to.tools)


def _can_lock(host: HostConnection, path: Path) -> bool:
    try:
        with host.lock(path, wait=0):
            return True
    except VelociraptorError:
        return False


def _some_key() -> str:
    return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
