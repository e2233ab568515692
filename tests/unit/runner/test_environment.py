"""What an app finds at its start: order, quoting, and what can't be overridden."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from vr.runner.environment import app_environment, proc_script, resolve_env, settings_yaml

DUMP = f'{sys.executable} -c "import json,os; print(json.dumps(dict(os.environ)))"'


def environment(
    tmp_path: Path, env: dict[str, str | None], *, profile: str = "", port: int | None = 5000
) -> dict[str, str]:
    """The environment that the script gives to the app, with /app moved to a test folder."""
    app = tmp_path / "app"
    (app / ".profile.d").mkdir(parents=True)
    (app / ".profile.d/a.sh").write_text(profile)
    text = proc_script(env, command=DUMP, port=port).replace("/app", str(app))
    ended = subprocess.run(
        ["/bin/bash", "-c", text, "proc.sh", "run"], capture_output=True, text=True, env={}
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, str] = json.loads(ended.stdout)
    return found


def test_values_arrive_exactly(tmp_path: Path) -> None:
    nasty = {"A": "it's $HOME `id` \\", "B": "x\ny\r\n", "C": "", "D": " ü "}
    found = environment(tmp_path, dict(nasty))
    assert {name: found[name] for name in nasty} == nasty


def test_env_beats_the_profile_which_beats_the_defaults(tmp_path: Path) -> None:
    profile = "export A=profile B=profile PATH=/build/bin:$PATH"
    found = environment(tmp_path, {"A": "env"}, profile=profile)
    assert (found["A"], found["B"]) == ("env", "profile")
    assert found["PATH"].startswith("/build/bin:")


def test_the_profile_sees_env(tmp_path: Path) -> None:
    assert environment(tmp_path, {"A": "x"}, profile='export B="$A$A"')["B"] == "xx"


def test_some_variables_cannot_be_overridden(tmp_path: Path) -> None:
    mine = {"PORT": "1", "HOME": "/root", "APP_SETTINGS_YAML": "/x", "TMPDIR": "/app/tmp"}
    found = environment(tmp_path, dict(mine), profile="export PORT=2")
    assert found["PORT"] == "5000"
    assert found["HOME"].endswith("/app")
    assert found["APP_SETTINGS_YAML"] == "/settings.yaml"
    assert found["TMPDIR"].endswith("/app/tmp")


def test_null_means_not_set(tmp_path: Path) -> None:
    assert "A" not in environment(tmp_path, {"A": None}, profile="export A=1")


def test_without_port_there_is_none(tmp_path: Path) -> None:
    assert "PORT" not in environment(tmp_path, {}, port=None)


def test_the_command_is_expanded_by_bash() -> None:
    script = proc_script({}, command="echo $PORT && echo 'a b'", port=1)
    assert """exec /bin/bash -c 'echo $PORT && echo '"'"'a b'"'"''""" in script


def test_values_can_come_from_the_host() -> None:
    env = {"A": "$TOKEN", "B": "$NONE", "C": "$TOKEN!", "D": None}
    assert resolve_env(env, {"TOKEN": "x"}) == {"A": "x", "B": "", "C": "$TOKEN!", "D": None}


def test_settings_are_block_yaml() -> None:
    text = settings_yaml({"greeting": "@It's", "list": [1, 2]})
    assert "greeting: '@It''s'\n" in text
    assert yaml.safe_load(text) == {"greeting": "@It's", "list": [1, 2]}


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"A": "it's $HOME `id` \\", "B": "x\ny", "LANG": None, "HOME": "/root", "PORT": "1"},
        {"TMPDIR": "", "PATH": "/bin"},
    ],
)
def test_without_a_profile_no_script_is_needed(tmp_path: Path, env: dict[str, str | None]) -> None:
    found = environment(tmp_path, env)
    for name in ("PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"):  # bash's and Python's own
        found.pop(name, None)
    assert app_environment(env, port=5000) == {**found, "HOME": "/app"}
