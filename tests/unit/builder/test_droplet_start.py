"""The scripts that start a droplet: run for real, by a bash, without a container."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from vr.builder.droplet_start import environment, start_script, started_by


def run(folder: Path, runtime: str = "", executable: str = "", **env: str) -> dict[str, str]:
    """Run the script beside a startup that prints its environment and arguments."""
    _script(folder / "startup", '#!/bin/bash\necho "ARGUMENTS=$*"\nenv\n')
    _script(folder / "start_droplet", start_script(runtime, executable))
    done = subprocess.run(
        ["./start_droplet"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {name: value for name, _, value in pairs}


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_the_app_gets_its_port_and_the_variables_of_a_dea(tmp_path: Path) -> None:
    found = run(tmp_path, PORT="5003", **environment("shop", "v1", "ruby"))
    assert found["ARGUMENTS"] == "-p 5003"
    assert found["VCAP_APP_PORT"] == found["VMC_APP_PORT"] == "5003"
    assert found["VCAP_SERVICES"] == "{}"
    facts = json.loads(found["VCAP_APPLICATION"])
    assert (facts["name"], facts["version"], facts["runtime"]) == ("shop", "v1", "ruby")
    assert (facts["application_name"], facts["port"], facts["instance_index"]) == ("shop", 5003, 0)
    assert len(facts["instance_id"]) == 32


@pytest.mark.parametrize("given", ["", "nonsense", "{}"])
def test_whatever_a_user_made_of_the_variable_it_is_json(tmp_path: Path, given: str) -> None:
    found = run(tmp_path, VCAP_APPLICATION=given, VCAP_SERVICES='{"db": []}')
    assert found["ARGUMENTS"] == ""
    assert json.loads(found["VCAP_APPLICATION"])["port"] is None
    assert found["VCAP_SERVICES"] == '{"db": []}'


def test_a_runtime_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(tmp_path, "ruby", "/no/$(such)/ru'by")
    assert caught.value.returncode == 127
    assert "needs the runtime ruby" in caught.value.stderr
    assert "VR_RUNTIMES" in caught.value.stderr


@pytest.mark.parametrize(
    "end",
    [
        "> ../logs/stdout.log 2> ../logs/stderr.log &",
        "> ../../logs/stdout.log 2> ../../logs/stderr.log &",
        "> $DROPLET_BASE_DIR/logs/stdout.log 2> $DROPLET_BASE_DIR/logs/stderr.log &",
    ],
)
def test_the_runtime_is_put_in_and_the_output_is_not_hidden_in_files(end: str) -> None:
    assert started_by(f"%VCAP_LOCAL_RUNTIME% a.rb $@ {end}\n", "/opt/my ruby") == (
        "'/opt/my ruby' a.rb $@ &\n"
    )


def test_a_startup_of_blanks_without_end_is_read_once() -> None:
    startup = "ruby" + " " * 300_000 + "app.rb " + "> " * 100_000
    assert started_by(startup, "ruby") == startup
