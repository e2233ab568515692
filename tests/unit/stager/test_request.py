"""Requests: what is taken, and all that is wrong at once."""

from __future__ import annotations

from typing import Any

import pytest

from vr.errors import InvalidInput
from vr.stager.request import parse_request, task_id_of

ID = "0123456789abcdef" * 2


def request(**changes: Any) -> dict[str, Any]:
    values = {
        "app_id": "shop",
        "download_uri": "http://u:p@cc.example.org/app",
        "upload_uri": "https://cc.example.org/droplet",
        "properties": {
            "services": [],
            "framework_info": {
                "name": "sinatra",
                "runtimes": [{"ruby18": {"default": True}}, {"ruby19": {"default": False}}],
                "detection": [{"*.rb": "x"}, {"config/environment.rb": False}],
            },
            "runtime_info": {"name": "ruby19", "executable": "ruby", "version": "1.9.3"},
            "resources": {"memory": 256, "disk": 256, "fds": 1024},
            "framework": "unknown keys are for others",
        },
    }
    return values | changes


def test_the_seeds_request_is_understood() -> None:
    parsed = parse_request(request(), ID)
    assert parsed.properties.framework_info.name == "sinatra"
    assert parsed.properties.runtime_info.version == "1.9.3"
    assert parsed.properties.resources.memory == 256


def test_memory_is_512_unless_said() -> None:
    properties = {"framework_info": {"name": "rack"}}
    assert parse_request(request(properties=properties), ID).properties.resources.memory == 512


def test_an_app_id_may_be_a_number() -> None:
    assert parse_request(request(app_id=7), ID).app_id == "7"


def test_every_problem_is_named_once() -> None:
    properties = {
        "framework_info": {"name": "a/b", "detection": [{"*": "["}]},
        "resources": {"memory": -1, "disk": "much"},
        "services": 3,
    }
    with pytest.raises(InvalidInput) as caught:
        parse_request(request(app_id=None, properties=properties), ID)
    keys = [problem.split(":")[0] for problem in caught.value.problems]
    assert sorted(keys) == [
        "app_id",
        "properties.framework_info.detection",
        "properties.framework_info.name",
        "properties.resources.disk",
        "properties.resources.memory",
        "properties.services",
    ]


def test_task_ids_of_requesters_are_kept_if_they_are_ids() -> None:
    assert task_id_of({"task_id": ID}) == ID
    for wrong in (None, 7, "x", ID.upper(), ID + "0", "../" + ID):
        assert task_id_of({"task_id": wrong}) != wrong
        assert len(task_id_of({"task_id": wrong})) == 32
