"""The start script: exact values, exact exit codes, no daemon left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vr.container.script import start_script
from vr.errors import VelociraptorError

NASTY = {
    "QUOTES": """it's "so" `date` $(date) $HOME \\n""",
    "LINES": "a\nb\r\nc\n",
    "BLANKS": "  x \t ",
    "EMPTY": "",
    "UNICODE": "größe ✓",
    "HASH": "#!%@*[]{}~&|;<>",
    "LONG": "x" * 100_000,
}

_ALONE = ("unshare", "--pid", "--fork", "--kill-child", "/bin/sh", "-c")


def run(tmp_path: Path, env: dict[str, str], *argv: str) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "start"
    script.write_text(start_script({"PATH": "/usr/bin:/bin", **env}))
    # Its own pid namespace, as in a container: it signals all other processes there.
    inside = [
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        "/bin/sh",
        "-c",
        '"$@" 3<&0 4>&1 5>&2; exit $?',
    ]
    return subprocess.run(
        [*inside, "-", "/bin/sh", str(script), *argv], capture_output=True, text=True, timeout=30
    )


def test_values_arrive_exactly(tmp_path: Path) -> None:
    dump = "import json,os; print(json.dumps(dict(os.environ)))"
    found = json.loads(run(tmp_path, NASTY, sys.executable, "-c", dump).stdout)
    assert {name: found[name] for name in NASTY} == NASTY


@pytest.mark.parametrize(("command", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("nosuch", 127)])
def test_the_exit_code_is_the_commands(tmp_path: Path, command: str, code: int) -> None:
    assert run(tmp_path, {}, "sh", "-c", command).returncode == code


def test_a_command_that_is_missing_gives_127(tmp_path: Path) -> None:
    assert run(tmp_path, {}, "/no/such/thing").returncode == 127


def test_a_nul_is_refused_with_the_variables_name() -> None:
    with pytest.raises(VelociraptorError, match="SECRET"):
        start_script({"SECRET": "a\0b"})


def test_a_command_of_its_own_comes_in_place_of_arguments(tmp_path: Path) -> None:
    script = tmp_path / "start"
    script.write_text(start_script({"A": "1"}, ["/bin/sh", "-c", 'echo "it\'s $A:$*"; exit 4']))
    inside = [
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        "/bin/sh",
        "-c",
        '"$@" 3<&0 4>&1 5>&2; exit $?',
    ]
    done = subprocess.run([*inside, "-", "/bin/sh", str(script)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (4, "it's 1:\n")
