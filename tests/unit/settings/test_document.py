"""docs/settings.md is what the table makes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from vr.settings.document import document
from vr.settings.table import TABLE


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vr.settings.document", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_setting_has_one_row() -> None:
    lines = document().splitlines()
    for row in TABLE.values():
        assert sum(line.startswith(f"| `{row.variable}` ") for line in lines) == 1, row.variable


def test_a_stale_page_is_told_and_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "settings.md"
    page.write_text(document() + "by hand\n")
    done = run("--check", page)
    assert (done.returncode, "Run bin/document-settings" in done.stderr) == (1, True)
    assert page.read_text().endswith("by hand\n")
    assert run(page).returncode == 0
    assert run("--check", page).returncode == 0
    assert page.read_text() == document()


def test_a_missing_page_is_stale(tmp_path: Path) -> None:
    assert run("--check", tmp_path / "none.md").returncode == 1
