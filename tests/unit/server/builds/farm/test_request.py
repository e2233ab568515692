"""What stagers are asked for, and that they understand it."""

from __future__ import annotations

from typing import Any

import msgspec

from vr.server.builds.farm.request import staging_request
from vr.specs.build import BuildSpec, parse_spec
from vr.stager.request import StagingRequest, new_task_id, parse_request

SPEC = BuildSpec(
    app_name="shop",
    app_repo_url="https://deploy:s3cret@git.example.org/shop.git",
    app_repo_type="git",
    version="v1",
    buildpack_urls=("bundled:python", "bundled:procfile"),
    image_url="https://vr.example.org/files/x/debian12.tar.gz",
    image_name="debian12",
    image_md5="a" * 32,
    heroku_stack="heroku-24",
)
ADDRESSES = {
    "download_uri": "http://attempt:y@vr.example.org/files/farm/app.zip",
    "upload_uri": "http://attempt:y@vr.example.org/files/farm/droplet.tgz",
}


def understood(**options: Any) -> StagingRequest:
    """The request as a stager reads it."""
    task_id = new_task_id()
    document = staging_request(SPEC, "c0ffee", **ADDRESSES, **options)
    return parse_request({**document, "task_id": task_id}, task_id)


def test_a_build_is_asked_for_with_all_that_vbuild_is_told() -> None:
    request = understood()
    assert (request.app_id, request.upload_uri) == ("shop", ADDRESSES["upload_uri"])
    assert request.properties.framework_info.name == "vbuild"
    assert request.properties.build["revision"] == "c0ffee"
    expected = msgspec.structs.replace(SPEC, revision="c0ffee")
    assert parse_spec(request.properties.build, "x") == expected


def test_a_framework_is_asked_for_with_its_rules_and_in_the_apps_image() -> None:
    properties = understood(framework="sinatra").properties
    assert properties.framework_info.name == "sinatra"
    assert properties.framework_info.detection, "the stager finds the main file by them"
    assert properties.runtime_info.name == "ruby"
    assert properties.image is not None and properties.image.md5 == "a" * 32
    assert properties.build == {}


def test_frameworks_that_other_packages_bring_are_passed_on() -> None:
    assert understood(framework="elixir").properties.framework_info.name == "elixir"
