"""What the framework vbuild refuses before it runs anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vr.errors import InvalidInput
from vr.stager.app_folder import AppFolder
from vr.stager.plugins import vbuild
from vr.stager.plugins.contract import Staging
from vr.stager.request import parse_properties

BUILD = {
    "app_name": "shop",
    "app_repo_url": "/srv/shop",
    "app_repo_type": "git",
    "version": "v1",
    "image_url": "https://vr.example.org/image.tar.gz",
    "image_name": "debian12",
    "revision": "c0ffee",
}


def problems(folder: Path, **changes: Any) -> list[str]:
    build = {key: value for key, value in (BUILD | changes).items() if value is not None}
    properties = parse_properties({"framework_info": {"name": "vbuild"}, "build": build}, "x")
    commands: Any = None
    staging = Staging(AppFolder(folder / "app"), folder, properties, commands, lambda _line: None)
    with pytest.raises(InvalidInput) as caught:
        vbuild.stage(staging)
    return caught.value.problems


def test_nothing_is_read_from_the_stagers_own_disk(tmp_path: Path) -> None:
    found = problems(tmp_path, image_url="/etc/shadow", buildpack_url="file:///root/pack")
    assert found == [
        "image_url: '/etc/shadow' is on the stager's own disk, "
        "which needs plugins.vbuild.local: true there",
        "buildpack: 'file:///root/pack' is on the stager's own disk, "
        "which needs plugins.vbuild.local: true there",
    ]


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    assert problems(tmp_path, revision=None) == ["revision: is missing"]
    assert problems(tmp_path, app_name=None, version=None) == [
        "app_name: is missing",
        "version: is missing",
    ]


@pytest.mark.parametrize("url", ["/etc/shadow", "file:///etc/shadow", None])
def test_an_image_to_stage_in_comes_by_http_only(url: str | None) -> None:
    values = {"framework_info": {"name": "wsgi"}, "image": {"name": "debian12", "url": url}}
    with pytest.raises(InvalidInput) as caught:
        parse_properties(values, "request")
    assert any(problem.startswith("image.url: ") for problem in caught.value.problems)
