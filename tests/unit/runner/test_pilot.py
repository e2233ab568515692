"""Which apps run under the pilot, and as what command."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from vr.errors import InvalidInput
from vr.runner import pilot


def test_an_app_with_the_file_runs_under_the_pilot_unless_told_otherwise(tmp_path: Path) -> None:
    assert pilot.choose(None, tmp_path, "proc.yaml") is None
    (tmp_path / "containerpilot.json").write_text("{}")
    assert pilot.choose(None, tmp_path, "proc.yaml") == pilot.Pilot("/app/containerpilot.json")
    assert pilot.choose(False, tmp_path, "proc.yaml") is None


def test_a_file_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no file 'deploy/pilot.json'"):
        pilot.choose("deploy/pilot.json", tmp_path, "proc.yaml")
    with pytest.raises(InvalidInput, match=r"no file 'containerpilot.json'"):
        pilot.choose(True, tmp_path, "proc.yaml")


def test_a_path_or_link_out_of_the_app_is_no_file_of_it(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (tmp_path / "secret.json").write_text("{}")
    (app / "containerpilot.json").symlink_to("../secret.json")
    assert pilot.choose(None, app, "proc.yaml") is None
    with pytest.raises(InvalidInput):
        pilot.choose("../secret.json", app, "proc.yaml")


def test_the_configuration_itself_may_stand_in_proc_yaml(tmp_path: Path) -> None:
    chosen = pilot.choose({"consul": "{{.CONSUL}}"}, tmp_path, "proc.yaml")
    assert chosen is not None
    assert chosen.config == "/containerpilot.json"
    assert json.loads(chosen.inline or "") == {"consul": "{{.CONSUL}}"}


def test_the_apps_command_reaches_the_pilot_as_it_stands() -> None:
    text = pilot.command(pilot.Pilot("/app/containerpilot.json"), "serve --name='{{x}}' $PORT")
    words = shlex.split(text)
    assert words[0] == "exec"
    assert words[-3:-1] == ["/bin/bash", "-c"]
    # The pilot's template gives back what was written.
    assert words[-1].replace('{{"{{"}}', "{{") == "serve --name='{{x}}' $PORT"


def test_host_names_are_valid_and_differ_from_proc_to_proc() -> None:
    long = "shop-" + "v1." * 30 + "-prod-1a2b3c4d-web-"
    names = {pilot.host_name(f"{long}{port}") for port in (5000, 5001)}
    assert len(names) == 2
    assert all(len(name) <= 63 and not set(name) & set("._+") for name in names)


def test_a_system_without_python_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"the image has no /usr/bin/python3"):
        pilot.check_system(tmp_path, "proc.yaml")
