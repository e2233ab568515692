"""vrun doctor on this very host, which runs all the other tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vr.paths import Root


def test_it_starts_a_container_and_leaves_nothing(proc: Callable[..., Any], tmp_path: Path) -> None:
    one = proc(precise=True, cmd="true")
    one.root = Root(tmp_path / "apps")
    done = one.vrun_alone("doctor", "--json")
    findings = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert findings["container"]["found"] == "starts and ends"
    assert {path.name for path in one.root.path.iterdir()} == {"images", "locks"}


def test_it_says_how_to_mend_what_is_wrong(proc: Callable[..., Any], tmp_path: Path) -> None:
    one = proc(precise=True, cmd="true")
    one.root = Root(tmp_path / "a:b")
    done = one.vrun_alone("doctor")
    assert done.returncode == 1
    assert "FAIL  VR_ROOT" in done.stdout and "Put VR_ROOT on" in done.stdout
    assert "container: not tried" in done.stdout
