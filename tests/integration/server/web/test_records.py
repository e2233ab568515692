"""The simple records: list, add, edit, delete, each told to the log."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from vr.server.models import App, Buildpack, Host, Ingredient, LogEntry, Squad, Stack, Swarm

GOOD: list[tuple[str, Any, dict[str, Any]]] = [
    ("app", App, {"name": "shop", "repo_url": "/srv/shop", "repo_type": "git"}),
    ("squad", Squad, {"name": "local"}),
    ("host", Host, {"name": "atlas.example.org", "active": "on"}),
    ("stack", Stack, {"name": "bookworm", "heroku_stack": "heroku-24"}),
    ("buildpack", Buildpack, {"repo_url": "/srv/python", "repo_type": "git", "order": 1}),
    ("ingredient", Ingredient, {"name": "postgres", "env_yaml": "URL: db"}),
]


@pytest.mark.parametrize(("slug", "model", "data"), GOOD, ids=[slug for slug, _, _ in GOOD])
def test_the_life_of_a_record(web: Client, slug: str, model: Any, data: dict[str, Any]) -> None:
    assert web.post(f"/{slug}/add/", data)["Location"] == f"/{slug}/"
    record = model.objects.get()
    address = f"/{slug}/{record.name if slug == 'app' else record.pk}/"
    assert address in web.get(f"/{slug}/").content.decode()

    assert web.post(address, data)["Location"] == f"/{slug}/"
    assert "Delete the" in web.get(f"{address}delete/").content.decode()
    assert model.objects.exists()
    assert web.post(f"{address}delete/")["Location"] == f"/{slug}/"
    assert not model.objects.exists()

    actions = LogEntry.objects.order_by("id").values_list("type", flat=True)
    assert list(actions) == ["add", "change", "remove"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        *((name, "only letters, digits") for name in ("my-app", "my app", "my/app")),
        ("", "This field is required"),
    ],
)
def test_app_names_that_cannot_be_are_refused(web: Client, name: str, problem: str) -> None:
    response = web.post("/app/add/", {"name": name, "repo_url": "/x", "repo_type": "git"})

    assert response.status_code == 422
    at_field = response.content.decode().partition('id="field-name"')[2].partition("</div>")[0]
    assert problem in at_field
    assert not App.objects.exists()


def test_config_that_is_no_mapping_is_refused(web: Client) -> None:
    response = web.post("/ingredient/add/", {"name": "x", "config_yaml": "just text"})

    assert "is a str, but a YAML mapping" in response.content.decode()
    assert not Ingredient.objects.exists()


def test_a_record_that_others_need_is_kept_and_they_are_named(web: Client) -> None:
    app = App.objects.create(name="shop", repo_url="/srv/shop")
    squad = Squad.objects.create(name="local")
    Swarm.objects.create(app=app, squad=squad, tag="v1", proc_name="web", config_name="prod")

    for answer in (web.get("/app/shop/delete/"), web.post("/app/shop/delete/")):
        text = answer.content.decode()
        assert "The app shop can’t be deleted" in text.replace("&#x27;", "’")
        assert "it is used by the swarms shop-prod-web" in text
    assert App.objects.exists()


def test_a_squad_shows_its_hosts_and_swarms(web: Client) -> None:
    squad = Squad.objects.create(name="local")
    host = Host.objects.create(name="atlas", squad=squad)

    assert (
        f'<a href="/host/{host.pk}/">atlas</a>' in web.get(f"/squad/{squad.pk}/").content.decode()
    )


def test_hosts_and_squads_show_the_procs_that_run_there(installation: Client) -> None:
    atlas = Host.objects.get(name="atlas.example.org")

    for path in (f"/host/{atlas.pk}/", f"/squad/{atlas.squad_id}/"):
        text = installation.get(path).content.decode()
        assert "shop-v2-prod-v2c0ffee-web-5004" in text
        assert "redis" in text


def test_unknown_records_are_not_found(web: Client) -> None:
    assert web.get("/squad/99/").status_code == 404
    assert web.get("/app/none/").status_code == 404
