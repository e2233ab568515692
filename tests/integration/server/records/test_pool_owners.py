"""A pool belongs to one swarm, whichever door another one comes through."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.forms import model_to_dict
from django.test import Client

from support.api_client import Api
from vr.server.models import App, Host, Squad, Swarm
from vr.server.swarming import asking
from vr.server.swarming.problems import CannotDispatch

SENTENCE = "The pool 'shop' of default is shop-prod-web's"


@pytest.fixture
def owner(redis: Any, user: User, woken: list[str], settings: Any) -> Swarm:
    """A swarm with the pool `shop`."""
    settings.BALANCERS = {
        name: {"BACKEND": "vr.balancer.dummy.DummyBalancer"} for name in ("default", "other")
    }
    User.objects.update(is_superuser=True, is_staff=True)
    squad = Squad.objects.create(name="local")
    Host.objects.create(name="atlas", squad=squad)
    return _swarm(App.objects.create(name="shop", repo_url="/srv/shop"), pool="shop")


def _swarm(app: App, **values: Any) -> Swarm:
    usual = {"tag": "v1", "config_name": "prod", "proc_name": "web", "balancer": "default"}
    return Swarm.objects.create(app=app, squad=Squad.objects.get(), **{**usual, **values})


def _form(swarm: Swarm, pool: str) -> dict[str, Any]:
    values = model_to_dict(swarm) | {"pool": pool, "config_ingredients": []}
    return {key: value for key, value in values.items() if value is not None}


Door = Callable[[str], str]


@pytest.fixture
def doors(owner: Swarm, api: Api, client: Client) -> dict[str, Door]:
    """By name: a function that gives another swarm a pool, and returns what is said."""
    client.force_login(User.objects.get())
    other = _swarm(App.objects.create(name="blog", repo_url="/srv/blog"), pool="blog")

    def page(answer: Any) -> str:
        return "" if answer.status_code == 302 else unescape(answer.content.decode())

    def through_post(pool: str) -> str:
        made = {"app": "blog", "squad": "local", "version": "v1", "config_name": "far"}
        made |= {"proc_name": "web", "pool": pool, "balancer": "default"}
        return api.post("swarms/", made).text

    def through_patch(pool: str) -> str:
        return api.patch(f"swarms/{other.pk}/", {"pool": pool}).text

    def through_form(pool: str) -> str:
        form = _form(other, pool) | {"save": "1"}
        return page(client.post(f"/swarm/{other.pk}/edit/", form))

    def through_admin(pool: str) -> str:
        address = f"/admin/server/swarm/{other.pk}/change/"
        return page(client.post(address, _form(other, pool)))

    return {
        "post": through_post,
        "patch": through_patch,
        "form": through_form,
        "admin": through_admin,
    }


@pytest.mark.parametrize("pool", ["shop", "SHOP"])
@pytest.mark.parametrize("door", ["post", "patch", "form", "admin"])
def test_the_pool_of_another_swarm_is_refused_and_its_owner_named(
    doors: dict[str, Door], door: str, pool: str
) -> None:
    assert SENTENCE in doors[door](pool).replace("&#x27;", "'")
    assert Swarm.objects.filter(pool__iexact="shop").count() == 1
    assert doors[door]("free") == ""
    assert Swarm.objects.filter(pool="free").exists()


def test_the_database_refuses_it_too(owner: Swarm) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        _swarm(owner.app, config_name="far", pool="Shop")
    _swarm(owner.app, config_name="far", pool="shop", balancer="other")
    for name in ("a", "b"):
        _swarm(owner.app, config_name=name, pool="")


def test_a_pool_that_its_former_swarm_is_still_routed_in_is_not_free(owner: Swarm) -> None:
    owner.routed_pools, owner.pool = [["default", "shop"]], "store"
    owner.save()
    other = Swarm(app=owner.app, config_name="far", pool="Shop", balancer="default")
    assert (
        "until that is dispatched to its new pool: vr swarm shop-prod-web -"
        in (other.problems()["pool"][0])
    )
    late = _swarm(owner.app, config_name="far", pool="shop")
    with pytest.raises(CannotDispatch, match="still has the nodes of shop-prod-web"):
        asking.dispatch(late, user=None)
    owner.routed_pools = [["default", "store"]]
    owner.save()
    assert late.pool_owner() is None
