"""The swarm form: every field, errors where they belong, both saved and dispatched or neither."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from vr.server.models import App, Dispatch, Event, Host, Ingredient, LogEntry, Squad, Swarm
from vr.server.web.forms import SwarmForm
from vr.specs.limits import LIMITS


@pytest.fixture
def ready(web: Client, woken: list[str]) -> Client:
    """A client of an installation with an app, and a squad that has a host."""
    App.objects.create(name="shop", repo_url="/srv/shop")
    squad = Squad.objects.create(name="local")
    Host.objects.create(name="testhost", squad=squad)
    return web


def filled(**changes: Any) -> dict[str, Any]:
    """What a browser sends for a good swarm."""
    return {
        "app": App.objects.get().pk,
        "tag": "v1",
        "proc_name": "web",
        "config_name": "prod",
        "squad": Squad.objects.get().pk,
        "size": 2,
        "config_yaml": "greeting: hello\n",
        "env_yaml": "LEVEL: info\n",
        "volumes_yaml": "- [/srv/data, /data]\n",
        "run_as": "nobody",
        "mem_limit": "256M",
        "memsw_limit": "1G",
        "pool": "shop",
        "balancer": "default",
    } | changes


def test_the_form_has_every_field_of_the_walkthrough(ready: Client) -> None:
    text = ready.get("/swarm/").content.decode()

    for name in [*filled(), *SwarmForm.base_fields]:
        assert f'id="field-{name}"' in text, name


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_every_limit_can_be_set_and_is_shown(ready: Client, limit: Any) -> None:
    assert (
        ready.post(
            "/swarm/", filled(save="1", memsw_limit="", mem_limit="") | {limit.name: limit.example}
        ).status_code
        == 302
    )

    swarm = Swarm.objects.get()
    assert list(swarm.limits) == [limit.name]
    assert f"<dt>{limit.label}</dt>" in ready.get(f"/swarm/{swarm.pk}/").content.decode()


def test_swarming_saves_every_field_and_dispatches(
    ready: Client, django_capture_on_commit_callbacks: Any, woken: list[str]
) -> None:
    ingredient = Ingredient.objects.create(name="postgres")
    with django_capture_on_commit_callbacks(execute=True):
        response = ready.post("/swarm/", filled(config_ingredients=[ingredient.pk]))

    swarm = Swarm.objects.get()
    assert response["Location"] == f"/swarm/{swarm.pk}/"
    assert (swarm.tag, swarm.size, swarm.pool, swarm.memsw_limit) == ("v1", 2, "shop", "1G")
    assert swarm.volumes == [["/srv/data", "/data"]]
    assert list(swarm.config_ingredients.all()) == [ingredient]
    assert Dispatch.objects.get().swarm == swarm
    assert woken == ["drive"]
    assert "rex: swarm shop-prod-web" in Event.objects.latest("id").title
    assert LogEntry.objects.filter(user__username="rex", type="swarm").exists()


def test_saving_only_dispatches_nothing(ready: Client) -> None:
    ready.post("/swarm/", filled(save="1"))

    assert Swarm.objects.count() == 1
    assert not Dispatch.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("app", "", "This field is required"),
        ("tag", "feature/x", "file name"),
        ("tag", "v1-rc", "contains &#x27;-&#x27;"),
        ("proc_name", "web worker", "space"),
        ("config_name", "pro-d", "only letters, digits"),
        ("size", "-1", "greater than or equal to 0"),
        ("config_yaml", "- a\n- b", "is a list, but a YAML mapping"),
        ("env_yaml", "a: [", "be read as YAML: in line"),
        ("volumes_yaml", "data: /data", "must be a YAML list"),
        ("run_as", "no body", "user account"),
        ("env_yaml", "MY-VAR: 1", "be the name of a variable"),
        ("volumes_yaml", "- [/srv/data, /proc]", "which is the kernel"),
        ("size", "1001", "less than or equal to 1000"),
        ("mem_limit", "lots", "is no size; write it like 64M"),
        ("mem_limit", "1K", "1K is too little"),
        ("memsw_limit", "128M", "be less than mem_limit, 256M"),
        ("cpu_limit", "0", "is out of range"),
        ("pids_limit", "few", "Enter a whole number"),
        ("pool", "my pool", "becomes a balancer"),
        ("balancer", "", "needs a balancer"),
        ("balancer", "varnish", "not one of the available choices"),
    ],
)
def test_errors_stand_at_their_field_and_nothing_is_saved(
    ready: Client, field: str, value: str, sentence: str
) -> None:
    response = ready.post("/swarm/", filled(**{field: value}))

    text = response.content.decode()
    assert response.status_code == 422
    at_field = text.partition(f'id="field-{field}"')[2].partition('id="field-')[0]
    assert sentence in at_field, at_field
    assert 'aria-invalid="true"' in at_field
    assert not Swarm.objects.exists()


def test_all_problems_are_told_at_once(ready: Client) -> None:
    text = ready.post("/swarm/", filled(tag="a b", size="-1", mem_limit="x")).content.decode()

    assert "3 fields need another look" in text


def test_two_swarms_of_one_name_are_refused(ready: Client) -> None:
    ready.post("/swarm/", filled(save="1"))

    text = ready.post("/swarm/", filled(save="1", pool="", balancer="")).content.decode()

    assert "There is a swarm of this app, config name, squad and proc name already" in text


def test_a_pool_of_another_swarm_is_refused(ready: Client) -> None:
    ready.post("/swarm/", filled(save="1"))
    other = filled(save="1", config_name="europe")

    asked = ready.post("/swarm/", other)
    assert "is shop-prod-web&#x27;s" in asked.content.decode()
    assert Swarm.objects.count() == 1


def test_a_swarm_may_keep_its_own_pool_without_a_question(ready: Client) -> None:
    ready.post("/swarm/", filled(save="1"))
    swarm = Swarm.objects.get()

    assert ready.post(f"/swarm/{swarm.pk}/edit/", filled(save="1", size=3)).status_code == 302


def test_a_dispatch_that_is_refused_leaves_nothing_saved(ready: Client) -> None:
    Host.objects.update(active=False)

    response = ready.post("/swarm/", filled())

    assert "has no active hosts" in response.content.decode()
    assert response.status_code == 422
    assert not Swarm.objects.exists()


def test_a_busy_swarm_keeps_its_config(ready: Client) -> None:
    ready.post("/swarm/", filled())
    swarm = Swarm.objects.get()

    response = ready.post(f"/swarm/{swarm.pk}/edit/", filled(tag="v2", env_yaml="LEVEL: debug"))

    assert "is being dispatched to v1 already" in response.content.decode()
    swarm.refresh_from_db()
    assert (swarm.tag, swarm.env_yaml) == ("v1", "LEVEL: info")


def test_the_preview_merges_ingredients_below_the_swarms_own(ready: Client) -> None:
    ingredient = Ingredient.objects.create(name="base", env_yaml="LEVEL: warn\nURL: db\n")

    text = ready.post(
        "/swarm/preview/", filled(config_ingredients=[ingredient.pk])
    ).content.decode()

    assert "LEVEL: info" in text
    assert "URL: db" in text


def test_the_form_of_an_empty_installation_says_what_is_missing(web: Client) -> None:
    text = web.get("/swarm/").content.decode()

    assert "There is no app yet" in text
    assert "There is no squad yet" in text


def test_a_link_may_choose_the_app_in_advance(ready: Client) -> None:
    text = ready.get("/swarm/?app=shop").content.decode()

    assert f'<option value="{App.objects.get().pk}" selected>shop' in text
