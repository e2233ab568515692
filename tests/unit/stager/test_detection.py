"""Detection rules against files of an app that may try to deceive."""

from __future__ import annotations

from pathlib import Path

import pytest

from vr.stager.app_folder import AppFolder
from vr.stager.catalogue import detect
from vr.stager.detection import main_file, mismatches

SINATRA = "\\s*require[\\s\\(]*['\"]sinatra(/base)?['\"]"


@pytest.fixture
def app(tmp_path: Path) -> AppFolder:
    (tmp_path / "secret.rb").write_text("require 'sinatra'")
    folder = tmp_path / "app"
    (folder / "config").mkdir(parents=True)
    return AppFolder(folder)


def test_rules_hold_together(app: AppFolder) -> None:
    (app.path / "b.rb").write_text('  require("sinatra/base")')
    rules = [{"*.rb": SINATRA}, {"config/environment.rb": False}, {"b.*": True}]
    assert mismatches(app, rules) == []
    assert main_file(app, rules) == "b.rb"
    (app.path / "config/environment.rb").touch()
    assert mismatches(app, rules) == ["there is config/environment.rb"]


def test_what_does_not_hold_is_told(app: AppFolder) -> None:
    (app.path / "folder").mkdir()
    rules = [{"*.rb": "sinatra"}, {"*.py": True}, {"folder": False}, {"folder/*": False}]
    assert mismatches(app, rules) == [
        "no *.rb contains 'sinatra'",
        "there is no *.py",
        "there is folder",
    ]


def test_stars_stay_within_a_name_and_skip_dotfiles(app: AppFolder) -> None:
    for name in (".hidden.rb", "config/deep.rb", "a.rb"):
        (app.path / name).touch()
    assert app.glob("*.rb") == ["a.rb"]
    assert app.glob("*/*.rb") == ["config/deep.rb"]
    assert app.glob(".*.rb") == [".hidden.rb"]


def test_links_are_never_followed(app: AppFolder) -> None:
    (app.path / "evil.rb").symlink_to("../secret.rb")
    (app.path / "up").symlink_to("..")
    assert app.glob("*.rb") == app.glob("up/*.rb") == []
    assert not app.exists("evil.rb") and not app.exists("up/secret.rb")
    assert app.text("up/secret.rb") is None
    assert mismatches(app, [{"*.rb": SINATRA}])


@pytest.mark.parametrize(
    ("files", "framework"),
    [
        ({"a.rb": "require 'sinatra'", "config.ru": "run X"}, "sinatra"),
        ({"config.ru": "run X"}, "rack"),
        ({"config/application.rb": "", "config/environment.rb": "", "config.ru": ""}, "rails"),
        ({"manage.py": "#", "shop/wsgi.py": "#"}, "django"),
        ({"wsgi.py": "#"}, "wsgi"),
        ({"server.js": "//"}, "node"),
        ({"index.php": ""}, "php"),
        ({"shop.war": ""}, "java_web"),
        ({"index.html": ""}, "static"),
        ({"README": ""}, None),
    ],
)
def test_frameworks_are_recognised(
    app: AppFolder, files: dict[str, str], framework: str | None
) -> None:
    for name, text in files.items():
        (app.path / name).parent.mkdir(exist_ok=True)
        (app.path / name).write_text(text)
    found = detect(app)
    assert (found.name if found else None) == framework
