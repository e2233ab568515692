"""The API's description: what a generator needs, told to whoever may use the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from support.fuzzing import SEED
from vr.server.resources import TABLE
from vr.server.resources.shapes import column


@pytest.fixture
def description(api: Any) -> dict[str, Any]:
    return dict(api.get("openapi.json").json())


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


def test_programs_read_it_with_their_token_and_people_after_the_login(api: Any, user: User) -> None:
    refused = Client().get("/api/v1/openapi.json")
    assert (refused.status_code, refused.json()["status"]) == (401, 401)
    assert Client().get("/api/v1/docs/").status_code == 302
    browser = Client()
    browser.force_login(user)
    assert browser.get("/api/v1/openapi.json").json() == api.get("openapi.json").json()
    assert "/api/v1/openapi.json" in browser.get("/api/v1/docs/").content.decode()


def test_every_operation_says_all_that_it_takes_and_answers(description: dict[str, Any]) -> None:
    found = operations(description)
    assert len({operation["operationId"] for _, _, operation in found}) == len(found) > 80
    tags = {tag["name"] for tag in description["tags"] if tag["description"]}
    for path, method, operation in found:
        assert operation["summary"] and operation["description"], path
        assert set(operation["tags"]) <= tags, path
        assert {"400", "401"} <= operation["responses"].keys(), path
        parameters = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert parameters == {part[1:-1] for part in path.split("/") if part[:1] == "{"}
        if parameters:
            assert "404" in operation["responses"], path
        if method != "get":
            assert {"403", "409"} <= operation["responses"].keys(), path
        if "requestBody" in operation:
            assert "413" in operation["responses"], path


def test_what_is_referred_to_is_there(description: dict[str, Any]) -> None:
    def references(part: Any) -> Any:
        if isinstance(part, dict):
            yield from [part["$ref"]] if "$ref" in part else []
            part = list(part.values())
        if isinstance(part, list):
            for one in part:
                yield from references(one)

    found = set(references(description))
    assert len(found) > 60
    for reference in found:
        target: Any = description
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_shapes_have_what_the_models_ask_for(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    new = schemas["NewSwarm"]
    # The version may come from a release.
    assert set(new["required"]) == {"app", "squad", "config_name", "proc_name"}
    assert new["properties"]["run_as"]["maxLength"] == 32
    assert new["properties"]["size"]["minimum"] == 0
    assert new["properties"]["pool"]["type"] == ["string", "null"]
    assert new["properties"]["config_name"]["pattern"] == "^[A-Za-z0-9_.+]+$"
    assert "required" not in schemas["SwarmChange"]
    assert schemas["NewApp"]["properties"]["repo_type"]["enum"] == ["git", "hg"]
    assert schemas["Build"]["properties"]["status"]["enum"][0] == "pending"
    assert {"type": "null"} in schemas["LogEntry"]["properties"]["user"]["anyOf"]
    assert "NewImage" not in schemas


def test_fields_are_described_in_the_words_of_the_forms(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    described = 0
    for resource in TABLE:
        for one in resource.fields:
            help_text = getattr(column(resource.model, one.target), "help_text", "")
            for shape in (resource.component, f"New{resource.component}"):
                properties = schemas.get(shape, {}).get("properties", {})
                shown = properties.get(one.name, {})
                if help_text and shown and "$ref" not in shown:
                    assert shown["description"], (shape, one.name)
                    described += shown["description"] == help_text
    assert described > 40


def test_search_keys_have_types(description: dict[str, Any]) -> None:
    parameters = {
        one["name"]: one for one in description["paths"]["/api/v1/swarms/"]["get"]["parameters"]
    }
    assert parameters["limit"]["schema"]["type"] == "integer"
    assert parameters["squad__hosts__active"]["schema"] == {"type": "boolean"}
    assert parameters["proc_name__in"]["schema"]["type"] == "array"
    logs = {one["name"]: one for one in description["paths"]["/api/v1/logs/"]["get"]["parameters"]}
    assert logs["time__gt"]["schema"]["format"] == "date-time"


@pytest.mark.parametrize("resource", TABLE, ids=lambda one: one.name)
def test_documents_have_the_keys_that_are_described(db: None, redis: Any, resource: Any) -> None:
    namespace: dict[str, Any] = {}
    exec("from vr.server.models import *", namespace)
    exec(SEED, namespace)
    api = Client(headers={"Authorization": "Bearer test-token"})
    schemas = api.get("/api/v1/openapi.json").json()["components"]["schemas"]
    objects = api.get(resource.path).json()["objects"]
    assert objects, resource.name
    for one in objects:
        shape = schemas[resource.component]
        assert one.keys() == shape["properties"].keys() == set(shape["required"])
    if resource.name == "hosts":
        assert objects[0]["procs"][0].keys() == schemas["Proc"]["properties"].keys()
        assert objects[0]["heard_from"].keys() == schemas["Heard"]["properties"].keys()
    if resource.name == "dispatches":
        assert objects[0]["steps"][0].keys() == schemas["Step"]["properties"].keys()


def test_a_page_of_problems_is_the_error_that_is_described(api: Any, description: Any) -> None:
    shape = description["components"]["schemas"]["Error"]
    for answer in (api.get("apps/?limit=x"), api.get("apps/0/"), api.post("apps/", {})):
        document = json.loads(answer.content)
        assert set(shape["required"]) <= document.keys() <= shape["properties"].keys()
