"""The unit of systemd, and the file with its settings."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.errors import InvalidInput
from vr.up import systemd
from vr.up.config import Config

HERE = Config.from_env({"VR_HOME": "/srv/vr", "VR_ROOT": "/srv/apps"})
BIN = Path("/opt/vr/bin")


def lines(config: Config = HERE) -> list[str]:
    return systemd.unit(config, systemd.service_of(config), BIN).splitlines()


def test_it_runs_the_commands_of_users_with_the_same_order_and_checks() -> None:
    assert "ExecStart=/opt/vr/bin/vr up --as-service" in lines()
    assert "ExecReload=/opt/vr/bin/vr up --as-service" in lines()
    assert "ExecStop=/opt/vr/bin/vr down --as-service" in lines()


def test_systemd_watches_supervisord_and_starts_it_again() -> None:
    assert "Type=forking" in lines()
    assert "PIDFile=/srv/vr/run/supervisord.pid" in lines()
    assert "Restart=on-failure" in lines()


def test_no_limit_is_shared_by_all_procs_and_none_ends_for_the_memory_of_another() -> None:
    assert "TasksMax=infinity" in lines()
    assert "OOMPolicy=continue" in lines()


def test_no_setting_is_in_the_unit_which_everybody_may_read() -> None:
    config = Config.from_env({"VR_DATABASE_URL": "postgres://vr:geheim@db/vr"})
    text = "\n".join(lines(config))
    assert "geheim" not in text
    assert "EnvironmentFile=/var/lib/velociraptor/secrets/environment" in text


def test_each_installation_has_a_unit_of_its_own() -> None:
    assert systemd.service_of(Config.from_env({})).name == "velociraptor.service"
    assert systemd.service_of(HERE).name == "velociraptor-srv-vr.service"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "vr").write_text("#!/bin/sh\n")
    (bin_folder / "vr").chmod(0o755)
    config = Config.from_env({"VR_HOME": str(tmp_path / "vr")})
    file = tmp_path / "velociraptor.service"
    file.write_text(systemd.unit(config, systemd.service_of(config), bin_folder))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["C", "Zl", "Zp"]), min_size=1)


@given(TEXT)
def test_every_value_of_a_line_survives_the_file(value: str) -> None:
    text = systemd.environment_text({"VR_SITE_TITLE": value})
    assert systemd.environment_of(text)["VR_SITE_TITLE"] == value


def test_what_people_write_into_the_file_is_read_as_systemd_does() -> None:
    text = "# note\n\nVR_BIND=0.0.0.0\n VR_SITE_TITLE = 'My apps'\n; no\nnonsense\n"
    assert systemd.environment_of(text) == {"VR_BIND": "0.0.0.0", "VR_SITE_TITLE": "My apps"}


def test_settings_and_what_builds_see_are_kept_and_nothing_else() -> None:
    env = {"VR_BIND": "0.0.0.0", "VR_NONE": "1", "HOME": "/root", "https_proxy": "http://p:1"}
    env |= {"VR_BUILD_PASS_ENV": "MY_*", "MY_KEY": "2"}
    assert systemd.kept(env) == {name: env[name] for name in env.keys() - {"VR_NONE", "HOME"}}


def test_settings_that_the_service_does_not_have_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text(systemd.environment_text({"VR_HOME": "/srv/vr", "VR_BIND": "::1"}))
    service = systemd.Service("velociraptor.service", tmp_path / "unit", file)
    systemd.refuse_other_settings(service, {"VR_HOME": "/srv/vr"})
    with pytest.raises(InvalidInput) as caught:
        systemd.refuse_other_settings(service, {"VR_BIND": "0.0.0.0", "VR_WEB_PORT": "80"})
    named = {problem.partition(":")[0] for problem in caught.value.problems}
    assert named == {"VR_WEB_PORT", "VR_BIND"}
