"""Addresses of repositories: what the database, and whoever reads a record, sees of them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from vr.server.models import App

pytestmark = pytest.mark.django_db

URL = "https://ada:s3cret@host/shop.git"


def test_credentials_are_hidden_and_encrypted_and_still_used() -> None:
    App.objects.create(name="shop", repo_url=URL)
    app = App.objects.get()
    assert app.repo_url == "https://***@host/shop.git"
    assert app.source_url == URL
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM server_app")
        assert "s3cret" not in str(cursor.fetchall())


def test_what_was_read_can_be_written_back() -> None:
    app = App.objects.create(name="shop", repo_url=URL)
    app.full_clean()
    app.save()
    assert App.objects.get().source_url == URL


def test_hidden_credentials_are_not_sent_to_another_host() -> None:
    app = App.objects.create(name="shop", repo_url=URL)
    app.repo_url = "https://***@evil/shop.git"
    with pytest.raises(ValidationError, match="Give user and password anew"):
        app.full_clean()


def test_names_that_differ_in_case_only_are_refused() -> None:
    App.objects.create(name="shop", repo_url="/srv/shop")
    with pytest.raises(ValidationError, match="differs only in case"):
        App(name="Shop", repo_url="/srv/shop").full_clean()
