"""The admin pages: every record can be looked at, and no secret of a token is shown again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client

from vr.server.models import ApiToken
from vr.server.records.admin import RecordAdmin, RecordInline


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


def test_all_models_have_pages_but_parts_of_others_and_what_only_we_write() -> None:
    shown = {model.__name__ for model in admin.site._registry}
    ours = {model.__name__ for model in apps.get_app_config("server").get_models()}
    assert ours - shown == {
        *("AppUid", "Duty", "HostJob", "ProcHealth", "ServerKey", "Step", "TestResult", "UptestJob")
    }


def test_all_pages_of_ours_are_guarded_and_logged() -> None:
    pages = [page for model, page in admin.site._registry.items() if model is not Group]
    assert [type(page) for page in pages if not isinstance(page, RecordAdmin)] == []
    inlines = [inline for page in pages for inline in page.inlines]
    assert [inline for inline in inlines if not issubclass(inline, RecordInline)] == []


def test_its_pages_have_our_mark(staff: Client) -> None:
    for client, path in ((staff, "/admin/"), (Client(), "/admin/login/")):
        page = client.get(path).content.decode()
        assert re.search(r'<link rel="icon" href="[^"]*vr/mark[^"]*\.svg"', page)


@pytest.mark.parametrize("model", [one._meta.model_name for one in admin.site._registry])
def test_every_list_and_form_opens(staff: Client, model: str) -> None:
    label = next(m._meta.app_label for m in admin.site._registry if m._meta.model_name == model)
    assert staff.get(f"/admin/{label}/{model}/").status_code == 200
    assert staff.get(f"/admin/{label}/{model}/add/").status_code in {200, 403}


def test_lists_are_named_in_the_plural(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert "Dispatches" in page
    assert "Dispatchs" not in page


def test_a_new_token_is_shown_once_and_works(staff: Client, settings: Any) -> None:
    boss = User.objects.get()
    made = staff.post("/admin/server/apitoken/add/", {"user": boss.pk, "name": "ci"}, follow=True)
    token = made.content.decode().partition("shown only now: ")[2].partition("<")[0]
    stored = ApiToken.objects.get()
    assert stored.digest == ApiToken.digest_of(token)
    page = staff.get(f"/admin/server/apitoken/{stored.pk}/change/").content.decode()
    assert token not in page
    assert stored.digest not in page
