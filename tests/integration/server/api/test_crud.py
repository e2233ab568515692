"""Resources made, changed, deleted, and refused (docs/reference/http-api.md#changing)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vr.server.models import Build, BuildStatus, Host, Image, LogEntry, PortLease, Stack, Swarm


def problems(response: Any) -> str:
    assert response.status_code == 400, response.content
    found = response.json()
    assert found["error"]
    return "\n".join(found["problems"])


def test_post_answers_201_with_an_empty_body_and_a_readable_location(api: Any) -> None:
    created = api.post("apps/", {"name": "shop", "repo_url": "/srv/shop"})
    assert (created.status_code, created.content) == (201, b"")
    shown = api.get(created["Location"]).json()
    assert shown["resource_uri"] == "/api/v1/apps/shop/"
    assert isinstance(shown["id"], int)
    assert shown["repo_type"] == "git"


def test_a_list_has_meta_and_objects(api: Any) -> None:
    for name in "abc":
        api.add("apps", name=name, repo_url="/srv/x")
    page = api.get("apps/", {"limit": 2, "name__icontains": ""}).json()
    assert [one["name"] for one in page["objects"]] == ["a", "b"]
    assert page["meta"]["total_count"] == 3
    assert page["meta"]["previous"] is None
    following = api.get(page["meta"]["next"]).json()
    assert [one["name"] for one in following["objects"]] == ["c"]
    assert following["meta"]["next"] is None
    assert "offset=0" in following["meta"]["previous"]


@pytest.mark.parametrize("query", ["limit=-1", "limit=many", "offset=-1", "offset=1.5"])
def test_impossible_pages_are_refused(api: Any, query: str) -> None:
    assert query.partition("=")[0] in problems(api.get(f"apps/?{query}"))


def test_limit_zero_means_the_largest_page(api: Any) -> None:
    assert api.get("apps/?limit=0").json()["meta"]["limit"] == 1000
    assert api.get("apps/?limit=9999").json()["meta"]["limit"] == 1000


@pytest.mark.parametrize("name", ["my-shop", "my shop", "my/shop", "", "..", "a\0b"])
def test_app_names_that_cannot_be_part_of_a_proc_name_are_refused(api: Any, name: str) -> None:
    assert "name: " in problems(api.post("apps/", {"name": name, "repo_url": "/srv/shop"}))
    assert api.get("apps/").json()["objects"] == []


def test_all_problems_are_named_at_once(api: Any) -> None:
    found = problems(api.post("apps/", {"name": "a b", "repo_type": "svn", "stack": "nowhere"}))
    for key in ("name: ", "repo_url: is missing", "repo_type: ", "stack: there is no stack"):
        assert key in found


def test_an_unknown_squad_names_those_that_exist(fleet: Any) -> None:
    swarm = {"app": "shop", "version": "v1", "config_name": "prod", "proc_name": "worker"}
    found = problems(fleet.post("swarms/", {**swarm, "squad": "/api/v1/squads/moon/"}))
    assert "squad: there is no squad 'moon'; squads: local" in found


def test_a_size_below_zero_is_refused(fleet: Any) -> None:
    assert "size: must be 0 or more" in problems(fleet.patch("swarms/1/", {"size": -1}))


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text", "7", [1]])
def test_config_that_is_no_mapping_is_refused(fleet: Any, text: Any) -> None:
    assert "config_yaml: is a" in problems(fleet.patch("swarms/1/", {"config_yaml": text}))


def test_config_that_is_no_yaml_names_line_and_column(fleet: Any) -> None:
    found = problems(fleet.patch("swarms/1/", {"env_yaml": "A: 1\nB: [\n"}))
    assert "env_yaml: can't be read as YAML: in line" in found


def test_integers_too_large_for_supervisor_are_refused(fleet: Any) -> None:
    found = problems(fleet.patch("swarms/1/", {"config_yaml": {"big": 2**40}}))
    assert "int exceeds XML-RPC limits" in found


def test_tags_with_a_dash_are_refused(fleet: Any) -> None:
    assert "version: " in problems(fleet.patch("swarms/1/", {"version": "v1-rc"}))


def test_a_pool_needs_a_balancer(fleet: Any) -> None:
    assert "balancer: " in problems(fleet.patch("swarms/1/", {"pool": "shop"}))


def test_no_pool_answers_at_the_pages_own_host_name(
    fleet: Any, settings: Any, tmp_path: Path
) -> None:
    fleet.patch("swarms/1/", {"pool": "vr", "balancer": "edge"})
    nginx = {"include_dir": str(tmp_path), "listen": "443", "domain": "example.org"}
    settings.BALANCERS = {"edge": {"BACKEND": "vr.balancer.nginx.NginxBalancer", **nginx}}
    settings.UI_HOST_NAMES = {"vr.example.org"}
    # A pool from before the pages had a name: it stays, and is routed no more.
    refused = fleet.post("swarms/1/swarm/", {"version": "v1"})
    assert "vr.example.org" in refused.json()["error"]
    found = problems(fleet.patch("swarms/1/", {"pool": "VR", "balancer": "edge"}))
    assert "pool: The pool 'VR' would answer at vr.example.org" in found
    assert fleet.patch("swarms/1/", {"pool": "shop", "balancer": "edge"}).status_code == 202


def test_two_swarms_of_the_same_name_and_squad_are_refused(fleet: Any) -> None:
    again = {"app": "shop", "squad": "local", "version": "v2"}
    again |= {"config_name": "prod", "proc_name": "web"}
    assert "already" in problems(fleet.post("swarms/", again))
    assert Swarm.objects.count() == 1


def test_patch_changes_only_what_is_sent(fleet: Any) -> None:
    changed = fleet.patch("swarms/1/", {"size": 3, "config_yaml": {"a": 1}, "nonsense": 1})
    assert (changed.status_code, changed.content) == (202, b"")
    shown = fleet.get("swarms/1/").json()
    assert (shown["size"], shown["version"], shown["config_yaml"]) == (3, "v1", "a: 1\n")
    assert shown["compiled_config"] == {"a": 1}


def test_a_document_can_be_put_back_as_it_was_shown(fleet: Any) -> None:
    before = fleet.get("swarms/1/").json()
    assert fleet.put("swarms/1/", before).status_code == 204
    assert fleet.get("swarms/1/").json() == before


def test_put_creates_a_named_object_that_is_absent(api: Any) -> None:
    created = api.put("apps/shop/", {"repo_url": "/srv/shop"})
    assert (created.status_code, created["Location"]) == (201, "/api/v1/apps/shop/")


def test_ingredients_and_squads_take_and_show_relations(fleet: Any) -> None:
    salt = fleet.add("ingredients", name="salt", env_yaml={"SALT": "1"})
    fleet.patch("swarms/1/", {"config_ingredients": [salt["resource_uri"]]})
    assert fleet.get("swarms/1/").json()["compiled_env"] == {"SALT": "1"}
    assert fleet.get(salt["resource_uri"]).json()["swarms"] == ["/api/v1/swarms/1/"]
    fleet.add("hosts", name="second")
    fleet.patch("squads/local/", {"hosts": ["second"]})
    assert [one["name"] for one in fleet.get("squads/local/").json()["hosts"]] == ["second"]


def test_a_release_given_to_a_swarm_sets_its_version(fleet: Any) -> None:
    build = fleet.add("builds", app="shop", tag="v7")
    release = fleet.add("releases", build=build["resource_uri"], volumes=[["/srv", "/data"]])
    assert (release["volumes"], release["run_as"]) == ([["/srv", "/data"]], "nobody")
    fleet.patch("swarms/1/", {"release": release["resource_uri"]})
    assert fleet.get("swarms/1/").json()["version"] == "v7"
    fleet.patch("swarms/1/", {"release": release["resource_uri"], "version": "v8"})
    assert fleet.get("swarms/1/").json()["version"] == "v8"


def test_changes_are_in_the_action_log_with_their_user(fleet: Any) -> None:
    assert LogEntry.objects.filter(user__username="rex", type="add").count() == 4
    newest = fleet.get("logs/?type=add").json()["objects"][0]
    assert newest["message"] == "rex: add swarm shop-v1-prod-web"
    assert newest["user"]["username"] == "rex"
    assert "password" not in str(newest)


def test_what_others_need_is_not_deleted(fleet: Any) -> None:
    for path in ("apps/shop/", "squads/local/"):
        refused = fleet.delete(path)
        assert refused.status_code == 409
        assert "shop-prod-web" in refused.json()["error"]
    swarm = Swarm.objects.get()
    PortLease.objects.create(host=Host.objects.get(), port=5000, swarm=swarm, proc="x")
    assert "scale it to 0" in fleet.delete("swarms/1/").json()["error"]
    assert fleet.delete("hosts/testhost/").status_code == 409
    PortLease.objects.all().delete()
    assert fleet.delete("swarms/1/").status_code == 204
    assert fleet.delete("apps/shop/").status_code == 204


def test_links_to_files_are_signed_and_served(fleet: Any, files: Any) -> None:
    (files / "builds").mkdir(parents=True)
    (files / "builds" / "x.tar.gz").write_bytes(b"0123456789")
    build = fleet.add("builds", app="shop", tag="v1")
    assert build["file"] is None
    Build.objects.update(file="builds/x.tar.gz", status=BuildStatus.SUCCESS)
    link = fleet.get("builds/1/").json()["file"]
    assert link.startswith("http://testserver/files/")


def test_images_are_read_only(api: Any) -> None:
    stack = Stack.objects.create(name="bookworm")
    Image.objects.create(stack=stack, name="bookworm_1", active=True)
    assert api.get("images/").json()["objects"][0]["stack"] == "/api/v1/stacks/bookworm/"
    assert api.get("stacks/bookworm/").json()["active_image"] == "bookworm_1"
    refused = api.delete("images/1/")
    assert (refused.status_code, refused["Allow"]) == (405, "GET")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_lists_are_not_replaced_or_deleted(api: Any, method: str) -> None:
    assert getattr(api, method)("apps/").status_code == 405


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("[1]", "is a JSON list, but an object is expected"),
        ('"x"', "is a JSON str, but an object is expected"),
        ("7", "is a JSON int, but an object is expected"),
        ("{", "is not JSON"),
    ],
)
def test_bodies_that_are_no_objects_are_refused(api: Any, body: str, problem: str) -> None:
    assert problem in problems(api.post("apps/", body))


def test_unknown_addresses_and_keys_answer_404_in_json(api: Any) -> None:
    for path in ("apps/nothing/", "nothing/", "apps", "swarms/99999999999999999999/", "swarms/x/"):
        answer = api.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["error"]
    assert api.post("apps", {"name": "x"}).status_code == 404


def test_the_root_lists_the_resources(api: Any) -> None:
    assert api.get("").json()["swarms"]["list_endpoint"] == "/api/v1/swarms/"


def test_a_missing_name_says_what_names_are(api: Any) -> None:
    found = problems(api.post("apps/", {"repo_url": "/srv/shop"}))
    assert "name: is empty, but letters, digits" in found


def test_balancers_name_the_default(api: Any) -> None:
    objects = api.get("balancers/").json()["objects"]
    assert [(one["name"], one["default"]) for one in objects] == [("default", True)]


def test_a_longer_list_asks_the_database_no_more_often(
    fleet: Any, django_assert_max_num_queries: Any
) -> None:
    salt = fleet.add("ingredients", name="salt", env_yaml={"SALT": "1"})
    for number in range(12):
        fleet.add(
            "swarms",
            app="shop",
            squad="local",
            version="v1",
            config_name=f"c{number}",
            proc_name="web",
            config_ingredients=[salt["resource_uri"]],
        )
        fleet.post(f"swarms/{number + 2}/swarm/")
    with django_assert_max_num_queries(8):
        assert len(fleet.get("swarms/").json()["objects"]) == 13
