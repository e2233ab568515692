"""bin/check-citations: what code cites can be followed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[3] / "bin" / "check-citations"


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with one page."""
    page = tmp_path / "docs/reference/proc-yaml.md"
    page.parent.mkdir(parents=True)
    page.write_text("# proc.yaml\n\n## What `env` is\n\n```sh\n# no heading\n```\n")
    return tmp_path


def check(top: Path, line: str, *, file: str = "src/vr/runner/run.py") -> tuple[int, str]:
    """The status for a file with this line, and what was printed."""
    path = top / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"first\n{line}\n")
    argv = [sys.executable, str(PROGRAM), str(top)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "line",
    [
        '"""One proc (docs/reference/proc-yaml.md)."""',
        "# See docs/reference/proc-yaml.md#what-env-is.",
        'given = "docs/missing.md"',
        '"see [balancers](balancers.md)"',
        "SEED = int(os.environ['SEED'])",
        "def _world(seed: int) -> World:",
        'log.info("Sectional; issues and bugs; B1")',
    ],
)
def test_what_can_be_followed_passes(top: Path, line: str) -> None:
    assert check(top, line) == (0, "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("# docs/reference/proc.md", "there is no page docs/reference/proc.md"),
        ("# (docs/reference/proc-yaml.md#no-heading)", "has no heading #no-heading"),
        ("# (docs/reference/proc-yaml.md#env)", "there are: procyaml, what-env-is"),
        ("# api-v1.md 4", "'api-v1.md' is not in the repository"),
        ("# rulings, 8", "'rulings' is not in the repository"),
        ("# the ruling on names", "'ruling' is not in the repository"),
        ("# (reference: balancers.md)", "'balancers.md' is not in the repository"),
        ("# (cloudfoundry.md, section 3)", "'section 3' is not in the repository"),
        ("# (seeds: Volumes)", "'(seeds: ' is not in the repository"),
        ("# bug B19", "'bug B19' is not in the repository"),
        ("# flaw F10", "'flaw F10' is not in the repository"),
        ("# colder caches (F2)", "'(F2)' is not in the repository"),
        ("# see issue 8", "'issue 8' is not in the repository"),
        ("# as the issue states it", "'the issue' is not in the repository"),
    ],
)
def test_what_nobody_can_follow_is_refused_with_its_place(top: Path, line: str, said: str) -> None:
    status, output = check(top, line)
    assert status == 1
    assert "src/vr/runner/run.py:2: " in output
    assert said in output


@pytest.mark.parametrize("file", ["tests/unit/x.py", "bin/tool", "src/vr/runner/launcher.sh"])
def test_every_kind_of_source_is_looked_at(top: Path, file: str) -> None:
    status, output = check(top, "# bug B19", file=file)
    assert (status, output.split(":")[0]) == (1, file)


def test_binary_files_are_passed_over(top: Path) -> None:
    (top / "src").mkdir()
    (top / "src/icon.png").write_bytes(b"\x89PNG\xff bug B19")
    assert check(top, "fine") == (0, "")
