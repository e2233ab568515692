"""A new key: what a former one encrypted stays readable, and is encrypted anew."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import signing
from django.core.management import CommandError, call_command
from django.db import connection

from vr.server.management.commands import reencrypt
from vr.server.models import Ingredient
from vr.server.models.fields import Undecryptable

pytestmark = pytest.mark.django_db

SECRET = "PASSWORD: hunter2"


def stored() -> dict[str, str]:
    """What the database holds, by the ingredient's name."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name, config_yaml FROM {Ingredient._meta.db_table}")
        return dict(cursor.fetchall())


def ingredient(name: str) -> Ingredient:
    return Ingredient.objects.create(name=name, config_yaml=SECRET)


def run() -> str:
    said = StringIO()
    call_command("reencrypt", stdout=said)
    return said.getvalue()


def rotate(settings: Any, key: str) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    settings.SECRET_KEY = key


def test_after_a_rotation_the_former_key_opens_nothing_and_nothing_is_lost(settings: Any) -> None:
    first = settings.SECRET_KEY
    ingredient("old")
    rotate(settings, "second")
    assert Ingredient.objects.get().config_yaml == SECRET
    ingredient("new")
    before = stored()
    assert run().startswith("1 values")
    after = stored()
    assert after["old"] != before["old"] and after["new"] == before["new"]
    assert all("hunter2" not in text for text in after.values())

    settings.SECRET_KEY_FALLBACKS = []
    assert {one.config_yaml for one in Ingredient.objects.all()} == {SECRET}
    settings.SECRET_KEY = first
    assert isinstance(Ingredient.objects.get(name="old").config_yaml, Undecryptable)


def test_it_may_be_repeated_and_changes_nothing_then(settings: Any) -> None:
    ingredient("one")
    rotate(settings, "second")
    run()
    before = stored()
    assert run().startswith("0 values")
    assert stored() == before


def test_more_than_one_former_key_is_known(settings: Any) -> None:
    for key in ("second", "third"):
        ingredient(f"before {key}")
        rotate(settings, key)
    assert run().startswith("2 values")
    settings.SECRET_KEY_FALLBACKS = []
    assert {one.config_yaml for one in Ingredient.objects.all()} == {SECRET}


def test_what_was_stored_in_the_clear_is_encrypted(settings: Any) -> None:
    ingredient("clear")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Ingredient._meta.db_table} SET config_yaml = %s", [SECRET])
    assert stored() == {"clear": SECRET}
    assert run().startswith("1 values")
    assert "hunter2" not in stored()["clear"]
    assert Ingredient.objects.get().config_yaml == SECRET


def test_what_no_key_can_read_is_named_and_left_and_the_others_are_done(settings: Any) -> None:
    lost = ingredient("lost")
    settings.SECRET_KEY = "second"
    ingredient("known")
    before = stored()
    rotate(settings, "third")
    with pytest.raises(CommandError, match=rf"(?s)1 values.*Ingredient {lost.pk}: config_yaml"):
        run()
    assert stored()["lost"] == before["lost"]
    settings.SECRET_KEY_FALLBACKS = []
    assert Ingredient.objects.get(name="known").config_yaml == SECRET


def test_every_row_is_done_however_many_there_are(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencrypt, "_ROWS_AT_ONCE", 2)
    for number in range(5):
        ingredient(f"n{number}")
    rotate(settings, "second")
    assert run().startswith("5 values")


def test_every_encrypted_field_of_the_models_is_found() -> None:
    found = {f"{model.__name__}.{name}" for model, name in reencrypt.encrypted_fields()}
    assert found == {
        *("Dispatch.own_config", "HostJob.passwords", "ServerKey.private"),
        *("App.repo_credentials", "Buildpack.repo_credentials", "Build.env_yaml"),
        *("Notifier.stored_url", "Notifier.stored_secret"),
        *("Ingredient.config_yaml", "Ingredient.env_yaml"),
        *("Release.config_yaml", "Release.env_yaml", "Release.volumes_yaml"),
        *("Swarm.config_yaml", "Swarm.env_yaml", "Swarm.volumes_yaml"),
    }


def test_links_that_the_former_key_signed_stay_valid(settings: Any) -> None:
    link = signing.dumps("builds/1")
    rotate(settings, "second")
    assert signing.loads(link) == "builds/1"


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_processes_rotate_by_their_key_files(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    key, former = tmp_path / "key", tmp_path / "former"
    key.write_text("first\n")
    former.touch()
    env = {
        **os.environ,
        "VR_HOME": str(tmp_path),
        "VR_SECRET_KEY_FILE": str(key),
        "VR_SECRET_KEY_FALLBACKS_FILE": str(former),
    }
    if database == "postgres":
        url = request.getfixturevalue("postgres_url")
        # Other tests of the session fill the cluster's own database.
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE rotation")
        env["VR_DATABASE_URL"] = url.replace("/postgres?", "/rotation?")

    def manage(*arguments: str) -> str:
        command = [sys.executable, "-m", "vr.server.manage", *arguments]
        return subprocess.run(
            command, env=env, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def shell(code: str) -> str:
        return manage("shell", "-v", "0", "-c", f"from vr.server.models import *; {code}").strip()

    manage("migrate")
    shell(f"Ingredient.objects.create(config_yaml={SECRET!r})")
    former.write_text(key.read_text())
    key.write_text("second\n")
    assert manage("reencrypt").startswith("1 values")
    former.write_text("")
    assert shell("print(Ingredient.objects.get().config_yaml)") == SECRET
