"""Runtimes: only what this DEA offers, old enough for nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vr.dea.runtimes import choose, problem, version_in, with_runtime
from vr.errors import VelociraptorError

RUNTIMES = {"ruby19": "/opt/ruby/bin/ruby", "node": "node"}
VERSIONS = {"ruby19": "3.1.2", "node": "20.20.2"}


@pytest.mark.parametrize(
    ("name", "wanted", "executable"),
    [
        ("", {}, ""),
        ("ruby19", {}, "/opt/ruby/bin/ruby"),
        ("ruby19", {"executable": "/bin/sh"}, "/opt/ruby/bin/ruby"),
        ("ruby19", {"executable": "node"}, "node"),
        ("ruby19", {"executable": "/opt/ruby/bin/ruby", "version": "1.9.3"}, "/opt/ruby/bin/ruby"),
    ],
)
def test_the_executable_is_one_of_ours(name: str, wanted: dict[str, Any], executable: str) -> None:
    assert choose(RUNTIMES, VERSIONS, name, wanted).executable == executable


def test_a_newer_version_is_remarked_upon() -> None:
    assert choose(RUNTIMES, VERSIONS, "node", {"version": "20.20.2"}).remark == ""
    assert "18.1 was wished for" in choose(RUNTIMES, VERSIONS, "node", {"version": "18.1"}).remark


@pytest.mark.parametrize(("name", "wanted"), [("cobol", {}), ("node", {"version": "22.0"})])
def test_unknown_and_older_ones_are_refused(name: str, wanted: dict[str, Any]) -> None:
    with pytest.raises(VelociraptorError):
        choose(RUNTIMES, VERSIONS, name, wanted)


def test_only_what_apps_can_run_here_is_offered(tmp_path: Path) -> None:
    for name in ("sh", "/bin/sh"):
        assert problem(name, ["/usr", "/bin"]) == ""
    assert problem("/opt/cobol/bin/cobol", ["/opt"]) == (
        "there is no executable /opt/cobol/bin/cobol here"
    )
    assert problem("/etc/passwd", ["/etc"]) == "there is no executable /etc/passwd here"
    link = tmp_path / "sh"
    link.symlink_to("/bin/sh")
    assert "is in no folder that apps see: /srv, /opt" in problem(str(link), ["/srv", "/opt"])
    assert problem(str(link), ["/usr", "/bin"]) == "", "what the link leads to is seen"


def test_the_token_is_replaced_everywhere_and_quoted() -> None:
    script = "%VCAP_LOCAL_RUNTIME% -S x %VCAP_LOCAL_RUNTIME%"
    assert with_runtime(script, "/a b") == "'/a b' -S x '/a b'"
    assert with_runtime("none", "") == "none"
    with pytest.raises(VelociraptorError):
        with_runtime(script, "")


def test_versions_are_found_in_what_programs_say() -> None:
    assert version_in("ruby 3.1.2p20 (2022-04-12)") == "3.1.2"
    assert version_in("nginx version: nginx/1.22.1") == "1.22.1"
    assert version_in("none") == ""
