"""New migrations are tried on PostgreSQL, and nothing of that stays."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from vr.server import migrations

SETTINGS = """\
from vr.server.settings import *
MIGRATION_MODULES = {"server": "later"}
"""
# Rows are changed, and their table afterwards, which one transaction alone would refuse.
GOOD = """\
from django.db import migrations, models

def change(apps, schema_editor):
    host = apps.get_model("server", "Host").objects.create(name="h1")
    apps.get_model("server", "PortLease").objects.create(host=host, port=1, proc="p")

class Migration(migrations.Migration):
    dependencies = [("server", "{before}")]
    operations = [migrations.RunPython(change)]
"""
MORE = """\
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("server", "9000_rows")]
    operations = [migrations.AddField("portlease", "later", models.TextField(default=""))]
"""
BAD = """\
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("server", "9001_field")]
    operations = [migrations.RunSQL("SELECT no_such_thing")]
"""
ALONE = """\
from django.db import migrations

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("server", "9001_field")]
    operations = []
"""


class Later:
    """Code with more migrations than the database has."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._env = os.environ | {
            "PYTHONPATH": str(folder),
            "VR_DATABASE_URL": url,
            "VR_HOME": str(folder),
            "VR_SECRET_KEY": "test",
        }
        shutil.copytree(Path(migrations.__file__).parent, folder / "later")
        (folder / "later_settings.py").write_text(SETTINGS)
        self.newest = max(path.stem for path in (folder / "later").glob("[0-9]*.py"))
        self._run("migrate", "--verbosity", "0")
        self.add("9000_rows", GOOD.format(before=self.newest))
        self.add("9001_field", MORE)

    def add(self, name: str, code: str) -> None:
        (self._folder / "later" / f"{name}.py").write_text(code)

    def rehearse(self) -> subprocess.CompletedProcess[str]:
        return self._run("rehearse", check=False)

    def pending(self) -> int:
        return len(json.loads(self._run("schema").stdout)["pending"])

    def _run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "django", *command],
            env=self._env | {"DJANGO_SETTINGS_MODULE": "later_settings"},
            capture_output=True,
            text=True,
            check=check,
        )


@pytest.fixture(scope="module")
def later(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Later:
    return Later(tmp_path_factory.mktemp("later"), postgres_url)


def rows(postgres_url: str) -> list[Any]:
    with psycopg.connect(postgres_url) as connection:
        return connection.execute("SELECT * FROM server_host").fetchall()


def test_they_succeed_and_leave_nothing(later: Later, postgres_url: str) -> None:
    done = later.rehearse()
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
    assert later.pending() == 2 and rows(postgres_url) == []


def test_one_that_fails_is_found_and_leaves_nothing(later: Later, postgres_url: str) -> None:
    later.add("9002_more", BAD)
    done = later.rehearse()
    assert done.returncode != 0 and 'column "no_such_thing" does not exist' in done.stderr
    assert later.pending() == 3 and rows(postgres_url) == []


def test_tables_that_others_hold_are_not_waited_for_for_long(
    later: Later, postgres_url: str
) -> None:
    later.add("9002_more", ALONE.replace("atomic = False", "atomic = True"))
    with psycopg.connect(postgres_url) as connection:
        connection.execute("LOCK TABLE server_portlease")
        done = later.rehearse()
    assert (done.returncode, done.stdout.strip()) == (0, "Others held the tables for 5 s.")


def test_one_that_can_t_be_taken_back_is_not_tried(later: Later) -> None:
    later.add("9002_more", ALONE)
    assert later.rehearse().stdout.strip() == (
        "server.9002_more can't be taken back, as it is in no transaction."
    )
