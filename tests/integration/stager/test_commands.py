"""The command vstager: its configuration, its client, a plugin alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.stagers import SINATRA_APP, SINATRA_RULES, Stagers
from support.waiting import until


def vstager(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vr.stager.main", *arguments],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def folder_with(files: dict[str, str], path: Path) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def test_a_folder_is_staged_from_the_command_line(common: Stagers, tmp_path: Path) -> None:
    app = folder_with(SINATRA_APP, tmp_path / "hello")
    (app / ".git").mkdir()
    (app / "link").symlink_to("app.rb")
    droplet = tmp_path / "out.tgz"
    done = vstager(
        *("stage", str(app), "--output", str(droplet)),
        *("--nats", common.nats.uri, "--queue", common.queue),
    )
    assert done.returncode == 0, done.stderr
    assert "] Staging application\n" in done.stdout
    assert "] Done!\n" in done.stdout
    with tarfile.open(droplet) as archive:
        assert archive.getmember("./app/link").linkname == "app.rb"
        assert not [name for name in archive.getnames() if ".git" in name]


def test_a_client_that_is_killed_leaves_nothing(pool: Stagers, tmp_path: Path) -> None:
    app = folder_with(SINATRA_APP, tmp_path / "hello")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    client = subprocess.Popen(
        [
            *(sys.executable, "-m", "vr.stager.main", "stage", str(app)),
            *("--nats", pool.nats.uri, "--queue", pool.queue),
        ],
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
    )
    until(lambda: list(Path(f"/proc/{client.pid}/task").glob("*"))[1:], "it serves the app")
    client.kill()
    client.wait()
    assert [*temporary.iterdir()] == []


def test_errors_of_the_stager_are_the_commands_errors(common: Stagers, tmp_path: Path) -> None:
    app = folder_with({"a.txt": ""}, tmp_path / "hello")
    options = ("--nats", common.nats.uri, "--queue", common.queue)
    done = vstager("stage", str(app), "--framework", "node", *options)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: Staging task failed: Staging plugin failed: The app is no"
    )
    unknown = vstager("stage", str(app), *options)
    assert "looks like none of the frameworks" in unknown.stderr
    missing = vstager("stage", str(tmp_path / "none"), "--framework", "static", *options)
    assert "is no folder" in missing.stderr
    assert not (tmp_path / "droplet.tgz").exists()


def test_without_nats_the_client_says_so(tmp_path: Path) -> None:
    app = folder_with(SINATRA_APP, tmp_path / "hello")
    done = vstager("stage", str(app), "--nats", "nats://u:secret@127.0.0.1:1")
    assert done.returncode == 1
    assert "The NATS server at nats://127.0.0.1:1 can't be used" in done.stderr
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "ERROR: Failed loading config from file"),
        ("a: [", "ERROR: Failed loading config from file"),
        ("queues: []", "ERROR: There was a problem validating the supplied config: "),
        (
            "{nats_uri: 'http://x', pid_filename: x, logging: {level: loud}, max_active_tasks: 0}",
            "logging.level: 'loud' is none of",
        ),
    ],
)
def test_configurations_that_are_none(tmp_path: Path, content: str | None, complaint: str) -> None:
    config = tmp_path / "stager.yml"
    if content is not None:
        config.write_text(content)
    done = vstager("-c", str(config))
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"pid_filename": "/proc/none/pid"}, "The pid file /proc/none/pid can't be written"),
        ({"logging": {"level": "info", "file": "/proc/none"}}, "can't be written to /proc/none"),
        ({"dirs": {"tmp": "/proc/none"}}, "The folder /proc/none, where tasks would work"),
    ],
)
def test_places_that_can_not_be_written(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    config = tmp_path / "stager.yml"
    values = {"nats_uri": "nats://127.0.0.1:1", "pid_filename": str(tmp_path / "pid")}
    usual = {"logging": {"level": "off"}, "queues": ["x"], "dirs": {"tmp": str(tmp_path / "tmp")}}
    config.write_text(yaml.safe_dump(values | usual | changes))
    done = vstager("-c", str(config))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ERROR: There was a problem validating the supplied config: ")
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "pid").exists()


def test_a_plugin_runs_without_any_service(tmp_path: Path) -> None:
    app = folder_with(SINATRA_APP, tmp_path / "app")
    target = tmp_path / "staged"
    target.mkdir()
    config = tmp_path / "sinatra.yml"
    config.write_text(
        yaml.safe_dump(
            {
                "source_dir": str(app),
                "dest_dir": str(target),
                "environment": {
                    "services": [],
                    "framework_info": {"name": "sinatra", "detection": SINATRA_RULES},
                    "runtime_info": {"name": "ruby18", "executable": "ruby", "version": "1.8.7"},
                    "resources": {"memory": 256, "disk": 256, "fds": 1024},
                },
            }
        )
    )
    done = vstager("plugin", "sinatra", str(config))
    assert done.returncode == 0, done.stderr
    assert 'RUBYOPT="-rubygems -I$PWD/ruby -rstdsync"' in (target / "startup").read_text()
    assert (target / "startup").stat().st_mode & 0o777 == 0o500
    keys = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(keys | {"secure_user": {"uid": 0}}))
    refused = vstager("plugin", "sinatra", str(config))
    assert "secure_user must have a uid and a gid" in refused.stderr
    wrong = vstager("plugin", "sinatra", str(config).replace("sinatra.yml", "none.yml"))
    assert wrong.returncode == 1
    target.rename(tmp_path / "gone")
    gone = vstager("plugin", "sinatra", str(config))
    assert "Invalid arguments for staging: " in gone.stderr


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that other users can enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_plugins_commands_run_as_the_user_that_is_given(open_path: Path) -> None:
    for name in ("app", "staged"):
        (open_path / name).mkdir()
    # Whatever npm there is: the one found first only tells who it runs as.
    npm = open_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\nid -u; id -G; touch made\n")
    npm.chmod(0o755)
    (open_path / "app/package-lock.json").write_text("{}")
    (open_path / "app/server.js").write_text("")
    config = open_path / "node.yml"
    keys = {
        "source_dir": str(open_path / "app"),
        "dest_dir": str(open_path / "staged"),
        "environment": {"framework_info": {"name": "node"}},
        "secure_user": {"uid": 23007, "gid": 23008},
    }
    config.write_text(yaml.safe_dump(keys))
    done = vstager("plugin", "node", str(config), PATH=f"{npm.parent}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert "23007\n23008\n" in done.stdout
    assert (open_path / "staged/app/made").stat().st_uid == 23007
