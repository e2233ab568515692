"""Startup and stop scripts: their text, and that bash runs them as meant."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from support.waiting import until
from vr.stager.scripts import RUNTIME, Startup, startup_script, stop_script


def run(tmp_path: Path, startup: Startup, *arguments: str) -> tuple[int, str]:
    for name in ("app", "logs", "tmp"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "startup").write_text(startup_script(startup))
    done = subprocess.run(
        ["/bin/bash", "startup", *arguments], cwd=tmp_path, env={"PATH": os.environ["PATH"]}
    )
    return done.returncode, (tmp_path / "logs/stdout.log").read_text()


def test_the_scripts_whole_text() -> None:
    """Other DEAs run them, too."""
    startup = Startup(f"{RUNTIME} app.rb $@", {"A": "b"}, before=("mkdir x", " "))
    assert startup_script(startup).splitlines() == [
        "#!/bin/bash",
        'export A="b"',
        'export TMPDIR="$PWD/tmp"',
        "mkdir x",
        "cd app",
        "%VCAP_LOCAL_RUNTIME% app.rb $@ > ../logs/stdout.log 2> ../logs/stderr.log &",
        "STARTED=$!",
        'echo "$STARTED" >> ../run.pid',
        "wait $STARTED",
    ]
    assert stop_script(startup).splitlines() == [
        "#!/bin/bash",
        'export A="b"',
        'export TMPDIR="$PWD/tmp"',
        "PARENT=$(ps -o ppid= -p $1)",
        "kill -9 $1",
        "kill -9 $PARENT",
    ]


def test_exports_are_sorted_expanded_and_may_be_unset() -> None:
    text = startup_script(Startup("x", {"Z": "${Z:-1}", "A": None}))
    assert text.splitlines()[1:4] == ["unset A", 'export TMPDIR="$PWD/tmp"', 'export Z="${Z:-1}"']


def test_it_passes_arguments_and_notes_the_pid(tmp_path: Path) -> None:
    status, output = run(tmp_path, Startup("bash -c 'echo \"$TMPDIR $*\" $$' x $@"), "-p", "80")
    directory, *words, pid = output.split()
    assert status == 0
    assert (directory, words) == (f"{tmp_path}/tmp", ["-p", "80"])
    assert (tmp_path / "run.pid").read_text().strip() == pid


def test_all_of_a_compound_command_is_logged(tmp_path: Path) -> None:
    assert run(tmp_path, Startup("echo a && echo b; exit 4")) == (4, "a\nb\n")


def test_another_folder_finds_the_logs_too(tmp_path: Path) -> None:
    (tmp_path / "tomcat/bin").mkdir(parents=True)
    assert run(tmp_path, Startup("basename $PWD", folder="tomcat/bin")) == (0, "bin\n")


def test_stop_ends_the_process_and_its_startup(tmp_path: Path) -> None:
    (tmp_path / "stop").write_text(stop_script(Startup("x")))
    starter = subprocess.Popen(
        ["/bin/bash", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout
    with starter.stdout:
        pid = starter.stdout.readline().strip()
    subprocess.run(["/bin/bash", "stop", pid], cwd=tmp_path, check=True)
    assert starter.wait(10) == -9
    until(lambda: has_ended(pid), "the process has ended")


def test_stop_ends_children_that_would_be_left(tmp_path: Path) -> None:
    (tmp_path / "stop").write_text(stop_script(Startup("x", has_children=True)))
    starter = subprocess.Popen(
        ["/bin/bash", "-c", "(sleep 61 & echo child $!; wait) & echo parent $!; wait"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout
    with starter.stdout:
        pids = dict(starter.stdout.readline().split() for _ in range(2))
    subprocess.run(["/bin/bash", "stop", pids["parent"]], cwd=tmp_path, check=True)
    starter.wait(10)
    until(lambda: has_ended(pids["child"]), "the child has ended")


def has_ended(pid: str) -> bool:
    return not command_of(pid)


def command_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""
