"""User ids of apps: one each, for ever, out of the range."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from vr.errors import VelociraptorError
from vr.server.models import App
from vr.server.procs.uids import uid_of


def app(name: str) -> App:
    return App.objects.create(name=name, repo_url=f"/srv/{name}")


@pytest.mark.django_db
def test_an_app_keeps_the_id_that_it_got(settings: Any) -> None:
    settings.HOST_UIDS = range(300_000, 300_010)
    shop, blog = app("shop"), app("blog")
    assert [uid_of(shop), uid_of(blog), uid_of(shop)] == [300_000, 300_001, 300_000]


@pytest.mark.django_db
def test_the_id_of_a_deleted_app_is_nobodys_again(settings: Any) -> None:
    settings.HOST_UIDS = range(300_000, 300_002)
    shop = app("shop")
    uid_of(shop)
    shop.delete()
    assert uid_of(app("shop")) == 300_001
    with pytest.raises(VelociraptorError, match="All user ids from 300000 to 300001"):
        uid_of(app("late"))


@pytest.mark.django_db(transaction=True)
def test_workers_that_ask_at_once_get_the_same_id_for_one_app_and_others_for_others() -> None:
    apps = [app(f"app{number}") for number in range(4)]

    def ask(one: App) -> int:
        try:
            return uid_of(one)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, apps * 4))
    assert found == found[:4] * 4
    assert len(set(found)) == 4
