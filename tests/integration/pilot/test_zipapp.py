"""The one file that is dropped into images."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
# Debian's, and whatever pyenv has.
PYTHONS = ["/usr/bin/python3"] + [
    str(path)
    for path in sorted(Path("~/.pyenv/versions").expanduser().glob("3.*/bin/python3"))
    if int(path.parts[-3].split(".")[1]) >= 9
]
CONFIG = '{"consul": "127.0.0.1:1", "preStop": "{{.NONE | default `true`}}"}'


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("dist") / "containerpilot.pyz"
    subprocess.run([sys.executable, TOP / "bin/make-pilot", target], check=True)
    return target


def test_the_same_source_gives_the_same_bytes(archive, tmp_path):
    again = tmp_path / "again.pyz"
    argv = [sys.executable, TOP / "bin/make-pilot", again]
    subprocess.run(argv, check=True, env={"PATH": "/usr/bin:/bin", "TZ": "Asia/Tokyo"})
    assert again.read_bytes() == archive.read_bytes()


@pytest.mark.parametrize("python", PYTHONS)
def test_it_runs_with_nothing_installed(archive, python, tmp_path):
    done = subprocess.run(
        [python, "-I", "-S", archive, "-config", CONFIG, "sh", "-c", "echo flying; exit 7"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "flying\n", "")


def test_it_is_an_executable_with_a_commit(archive):
    done = subprocess.run([archive, "-version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Version: ")
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("path", sorted((TOP / "src/vr/pilot").rglob("*.py")), ids=lambda p: p.name)
def test_its_source_is_python_3_9(path):
    ast.parse(path.read_text(), feature_version=(3, 9))
