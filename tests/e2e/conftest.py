"""One whole Velociraptor for all end-to-end tests, started and used as a user would."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.stack import TOP, Stack, running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Up before the first test; down, with nothing left behind, after the last."""
    with running_stack(procs=100) as one:
        yield one


@pytest.fixture(scope="session")
def shop_repo() -> Iterator[Path]:
    """The example app as a git repository with the tags v1, v2 and v3 (broken)."""
    folder = Path(tempfile.mkdtemp(prefix="vr-e2e-repo-"))
    repo = folder / "shop"
    subprocess.run([str(TOP / "examples" / "make-repo"), str(repo)], check=True)
    yield repo
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def shop(stack: Stack, shop_repo: Path) -> str:
    """A swarm of the example app at v1, size 2, routed as pool `shop`; gives its pattern."""
    stack.vr("apps", "add", "shop", str(shop_repo), "--stack", "debian12")
    stack.vr(
        *("swarms", "add", "shop", "web", "--config-name", "prod", "--tag", "v1"),
        *("--size", "2", "--squad", "local", "--pool", "shop"),
    )
    stack.vr("swarm", "shop-prod-web", "v1")
    return "shop-prod-web"
