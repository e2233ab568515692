"""What the parts are told, and the stamps that tell whether they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vr.up import changes, configuration, health, secrets, stamps
from vr.up.config import Config

SERVER = set(changes.SERVER)


def config_of(home: Path, **settings: str) -> Config:
    return Config.from_env({"VR_HOME": str(home), **settings})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    secrets.ensure(config_of(tmp_path))
    return tmp_path


def test_every_part_has_a_stamp_in_the_order_of_starts(home: Path) -> None:
    config = config_of(home, VR_BUILDER="nats")
    found = configuration.wanted(config, "c0de").stamps
    assert set(found) == set(health.EVERY)
    assert list(found).index("redis") < list(found).index("web") < list(found).index("worker")


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({}, set()),
        ({"VR_SITE_TITLE": "Ours"}, SERVER),
        ({"VR_HTTP_PORT": "8081"}, {"nginx", *SERVER}),
        ({"VR_KEEPALIVE_SECONDS": "5"}, {"nginx"}),
        ({"VR_WORKER_THREADS": "3"}, {"worker"}),
    ],
)
def test_a_setting_concerns_those_that_are_told(
    home: Path, settings: dict[str, str], parts: set[str]
) -> None:
    before = configuration.wanted(config_of(home), "c0de").stamps
    after = configuration.wanted(config_of(home, **settings), "c0de").stamps
    assert {name for name in before if before[name] != after[name]} == parts


def test_new_code_concerns_what_runs_it(home: Path) -> None:
    before = configuration.wanted(config_of(home), "c0de").stamps
    after = configuration.wanted(config_of(home), "0ther").stamps
    ours = set(changes.OURS) - {"stager"}
    assert {name for name in before if before[name] != after[name]} == ours


@pytest.mark.parametrize("name", ["secret_key_file", "former_keys_file"])
def test_a_new_key_concerns_the_server(home: Path, name: str) -> None:
    config = config_of(home)
    before = configuration.wanted(config, "c0de").stamps
    path: Path = getattr(config, name)
    path.write_text("another\n")
    after = configuration.wanted(config, "c0de").stamps
    assert {name for name in before if before[name] != after[name]} == SERVER


def test_each_part_is_told_its_stamp_and_all_files_are_roots_alone(home: Path) -> None:
    config = config_of(home)
    wanted = configuration.wanted(config, "c0de")
    wanted.write()
    for path in wanted.files:
        assert path.stat().st_mode & 0o777 == 0o600, path
    told = json.loads(config.environment_of("web").read_text())
    assert told[stamps.VARIABLE] == wanted.stamps["web"]
    sections = config.supervisord_conf.read_text().split("\n[")
    [redis] = [section for section in sections if section.startswith("program:redis]")]
    assert wanted.stamps["redis"] in redis


def test_what_is_there_stays_where_only_the_missing_is_written(home: Path) -> None:
    config = config_of(home)
    config.etc.mkdir()
    config.nginx_conf.write_text("of before\n")
    configuration.wanted(config, "c0de").write(only_missing=True)
    assert config.nginx_conf.read_text() == "of before\n"
    assert config.redis_conf.exists()
