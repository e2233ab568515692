"""An OS image for tests with real containers: Debian's smallest set and python3."""

from __future__ import annotations

import subprocess
from pathlib import Path

from vr.files.locks import Lock

_CACHE = Path("/var/cache/velociraptor-tests")
_VERSION = 1
"""Raise it when the image must change."""


def test_image() -> Path:
    """The image's tarball, made at first use (15 s) from this machine's own apt sources.

    Test runs at the same time make it once.
    """
    tarball = _CACHE / f"base-image-{_VERSION}.tar"
    with Lock(_CACHE / "lock", wait=600):
        if not tarball.exists():
            _make(tarball)
    return tarball


test_image.__test__ = False  # type: ignore[attr-defined]  # pytest must not collect it


def _make(tarball: Path) -> None:
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if line
    )
    new = tarball.with_suffix(".new")
    subprocess.run(
        [
            *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=tar"),
            *("--include=python3", release["VERSION_CODENAME"].strip('"'), str(new), "-"),
        ],
        input=_apt_sources(),
        check=True,
    )
    new.rename(tarball)


def _apt_sources() -> bytes:
    apt = Path("/etc/apt")
    files = [*apt.glob("sources.list.d/*.sources"), *apt.glob("sources.list.d/*.list")]
    if (apt / "sources.list").exists():
        files.append(apt / "sources.list")
    return b"\n\n".join(file.read_bytes() for file in sorted(files))
