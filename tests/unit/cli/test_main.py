"""The command's outside: fast help, complete tables, exit codes."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from vr.cli.main import _COMMANDS


def test_help_imports_none_of_the_heavy_parts() -> None:
    program = (
        "import sys\nsys.argv = ['vr', '--help']\nfrom vr.cli.main import main\nmain()\n"
        "print(sorted({'httpx', 'rich', 'yaml', 'redis', 'django'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "swarm" in done.stdout


@pytest.mark.parametrize(
    ("name", "lazy"), [item for section in _COMMANDS.values() for item in section.items()]
)
def test_every_command_in_the_table_exists_and_has_help(name: str, lazy: object) -> None:
    command = lazy.load()  # type: ignore[attr-defined]
    assert isinstance(command, click.Command)
    assert command.help
