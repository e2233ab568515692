"""Stamps of what runs and of what is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vr.up import stamps


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "vr" / "web").mkdir(parents=True)
    (tmp_path / "vr" / "__init__.py").write_text("A = 1\n")
    (tmp_path / "vr" / "web" / "page.html").write_text("<p>\n")
    return tmp_path / "vr"


@pytest.mark.parametrize("name", ["__init__.py", "web/page.html", "web/new.py"])
def test_every_file_of_the_package_counts(package: Path, name: str) -> None:
    before = stamps.installed_code(package)
    (package / name).write_text("other\n")
    assert stamps.installed_code(package) != before


def test_what_python_compiles_does_not_count(package: Path) -> None:
    before = stamps.installed_code(package)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "page.cpython-311.pyc").write_bytes(b"1")
    assert stamps.installed_code(package) == before


def test_a_name_and_a_content_that_swap_places_are_other_code(package: Path) -> None:
    before = stamps.installed_code(package)
    (package / "web" / "page.html").rename(package / "web" / "pages.html")
    assert stamps.installed_code(package) != before


def test_a_stamp_tells_the_code_and_differs_by_each_text() -> None:
    one = stamps.stamp("abc", ["a", "bc"])
    assert stamps.code_of(one) == "abc"
    assert one == stamps.stamp("abc", ["a", "bc"])
    assert len({one, stamps.stamp("abc", ["ab", "c"]), stamps.stamp("abc", ["a"])}) == 3


def test_the_stamp_of_a_process_is_what_it_was_started_with() -> None:
    sleeper = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(
        sleeper,
        env=os.environ | {stamps.VARIABLE: "abc.1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert stamps.of_process(process.pid) == "abc.1"
        process.communicate(b"\n")
    assert stamps.of_process(process.pid) == ""


def test_a_process_without_a_stamp_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stamps.of_process(os.getpid()) == ""
