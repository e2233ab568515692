"""vrun shell: bash where the app lives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from support.terminal import Terminal, terminal


def test_commands_from_stdin_run_in_the_apps_environment(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    one = proc(**build({"file": "x"}), cmd="true", env={"A": "it's"}, port=5007).setup()
    done = one.shell("id -u; pwd; ls; echo $A $PORT; touch /app/mine; exit 5\n")
    assert done.returncode == 5
    assert done.stdout == "65534\n/app\nfile\nit's 5007\n"
    assert not (one.paths.upper / "app/mine").exists()
    assert not any((one.paths.folder / "twins").iterdir())


def test_it_runs_beside_the_proc_with_a_layer_of_its_own(proc: Callable[..., Any]) -> None:
    one = proc(cmd="echo x >/app/by-proc; echo ready; sleep 1000").setup()
    running = one.launch()
    running.shows("ready")
    assert one.shell("ls /app").stdout == ""
    assert running.process.poll() is None


@contextmanager
def screen(one: Any) -> Iterator[Terminal]:
    """A terminal with `vrun shell` on it."""
    environment = {**one.environment, "TERM": "dumb"}
    with terminal(one.command("shell", str(one.file)), environment) as made:
        yield made
    assert not any((one.paths.folder / "twins").iterdir())


PROMPT = b"shop-v0-cmd:/app$ "


def test_on_a_terminal_it_is_interactive_with_job_control_and_a_prompt(
    proc: Callable[..., Any],
) -> None:
    one = proc(cmd="true").setup()
    with screen(one) as shell:
        shell.shows(PROMPT)
        assert b"no job control" not in shell.before
        shell.type(b"bash -c 'echo be''gun; exec sleep 1000'\n")
        shell.shows(b"begun\r\n")
        shell.type(b"\x1a")
        shell.shows(b"Stopped")
        shell.type(b"kill %1; exit 6\nexit 6\n")
        assert shell.ended() == 6


def test_its_terminal_has_a_name_in_the_container_and_is_the_users(
    proc: Callable[..., Any],
) -> None:
    with screen(proc(cmd="true").setup()) as shell:
        shell.shows(PROMPT)
        shell.type(b"tty; stat -c 'owned by %U' $(tty); echo spo''ken >$(tty)\n")
        shell.shows(b"/dev/pts/0\r\n")
        shell.shows(b"owned by nobody\r\n")
        shell.shows(b"spoken\r\n")
        shell.type(b"exec </dev/tty && echo con''trolled; exit\n")
        shell.shows(b"controlled\r\n")
        assert shell.ended() == 0


def test_it_has_the_size_of_the_users_terminal_and_follows_it(proc: Callable[..., Any]) -> None:
    with screen(proc(cmd="true").setup()) as shell:
        shell.shows(PROMPT)
        shell.type(b"stty size\n")
        shell.shows(b"\r\n30 90\r\n")
        shell.type(b"trap 'echo new si''ze' WINCH\n")
        shell.shows(PROMPT)
        shell.resize(50, 132)
        shell.type(b"until [ \"$(stty size)\" = '50 132' ]; do sleep 0.1; done; stty size\n")
        shell.shows(b"\r\n50 132\r\n")
        shell.type(b"exit\n")
        assert shell.ended() == 0


def test_what_was_typed_before_it_was_there_is_not_lost(proc: Callable[..., Any]) -> None:
    one = proc(cmd="true").setup()
    with screen(one) as shell:
        shell.type(b"echo ty''ped early; exit 4\n")
        shell.shows(b"typed early\r\n")
        assert shell.ended() == 4


def test_ctrl_c_ends_what_runs_and_leaves_the_shell(proc: Callable[..., Any]) -> None:
    with screen(proc(cmd="true").setup()) as shell:
        shell.shows(PROMPT)
        shell.type(b"bash -c 'echo be''gun; exec sleep 1000'; echo ended with $?\n")
        shell.shows(b"begun\r\n")
        shell.type(b"\x03")
        shell.shows(PROMPT)
        shell.type(b"echo ended with $?; exit 130\n")
        shell.shows(b"ended with 130\r\n")
        assert shell.ended() == 130
