"""Requests made by Schemathesis from the API's own description: nothing it finds is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fuzzing import PROC, SEED, run_schemathesis
from support.supervisord import supervisord
from support.web_server import WebServer, web_server

# Schemathesis would follow links from a host that it made to that host's procs.
WITHOUT_HOSTS_PROCS = ["--exclude-path-regex", r"/procs/\{proc\}"]


@pytest.fixture
def web(redis_url: str, tmp_path: Path) -> Iterator[WebServer]:
    program = tmp_path / "proc.conf"
    program.write_text(f"[program:{PROC}]\ncommand=/bin/sleep 3600\n")
    with supervisord(tmp_path / "supervisord", str(program)) as supervisor:
        environment = {"VR_SUPERVISOR_URL": supervisor, "VR_ROOT": str(tmp_path / "apps")}
        with web_server(tmp_path / "web", redis_url, environment) as server:
            yield server


def check(web: WebServer, folder: Path, *arguments: str) -> None:
    """Fail with Schemathesis' report if it finds anything, or does nothing."""
    ran = run_schemathesis(web.url, web.python(SEED), folder, list(arguments))
    if ran.returncode or "No issues found" not in ran.stdout:
        pytest.fail(ran.stdout + ran.stderr, pytrace=False)


def test_a_few_requests_to_every_operation(web: WebServer, tmp_path: Path) -> None:
    check(web, tmp_path, "--phases", "fuzzing", "-n", "4", "--seed", "1")


@pytest.mark.fuzz
def test_many_requests_to_every_operation(web: WebServer, tmp_path: Path) -> None:
    check(web, tmp_path, "--phases", "coverage,fuzzing", "--max-time", "600")


@pytest.mark.fuzz
def test_many_requests_one_after_another(web: WebServer, tmp_path: Path) -> None:
    check(web, tmp_path, "--phases", "stateful", "-n", "100", *WITHOUT_HOSTS_PROCS)
