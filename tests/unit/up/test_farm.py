"""The single machine's own farm: when there is one, and how its parts are configured."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from vr.errors import InvalidInput
from vr.stager.config import parse_config
from vr.up import farm, health, render
from vr.up.config import Config

BIN = Path("/opt/vr/bin")
HOME = {"VR_HOME": "/srv/vr", "VR_ROOT": "/srv/apps"}
OWN = Config.from_env({**HOME, "VR_BUILDER": "nats", "VR_NATS_PORT": "4333"})


def supervisord_conf(config: Config) -> str:
    return render.supervisord_conf(config, render.programs(config, BIN), BIN)


def names(config: Config) -> set[str]:
    return {program.name for program in render.programs(config, BIN)}


def test_without_an_address_the_stack_brings_its_own_bus_and_stager() -> None:
    assert {"nats", "stager"} <= names(OWN)
    assert names(OWN) == set(health.checked(OWN))
    environment = render.server_environment(OWN)
    assert environment["VR_BUILDER"] == "nats"
    assert environment["VR_NATS_URI_FILE"] == "/srv/vr/secrets/nats-uri"
    assert environment["VR_FARM_URL"] == "http://127.0.0.1:8000"


@pytest.mark.parametrize("in_file", [False, True])
def test_with_an_address_the_users_own_is_used(in_file: bool, tmp_path: Path) -> None:
    uri, file = "nats://user:s3cret@bus.example.org", tmp_path / "uri"
    file.write_text(f"{uri}\n")
    given = {"VR_NATS_URI_FILE": str(file)} if in_file else {"VR_NATS_URI": uri}
    theirs = {**given, "VR_FARM_URL": "https://vr.example.org"}
    config = Config.from_env({**HOME, "VR_BUILDER": "nats", **theirs})
    assert not {"nats", "stager"} & {*names(config), *health.checked(config)}
    environment = render.server_environment(config)
    assert {k: environment[k] for k in environment if "NATS_URI" in k} == given
    assert environment["VR_FARM_URL"] == "https://vr.example.org"
    assert "s3cret" not in repr(config) + supervisord_conf(config)


def test_workers_build_unless_told_otherwise() -> None:
    assert not {"nats", "stager"} & names(Config.from_env(HOME))
    with pytest.raises(InvalidInput, match="VR_BUILDER: is 'jenkins', expected local or nats"):
        Config.from_env({**HOME, "VR_BUILDER": "jenkins"})


def test_the_stager_takes_its_configuration() -> None:
    config = parse_config(yaml.safe_load(farm.stager_yml(OWN, "t0ken")), "stager.yml")
    assert config.nats_uri == farm.nats_uri(OWN, "t0ken") == "nats://t0ken@127.0.0.1:4333"
    assert config.queues == (farm.QUEUE,)
    assert config.plugins["vbuild"] == {"local": True}


def test_the_bus_listens_on_this_machine_only_and_asks_for_the_token() -> None:
    conf = farm.nats_conf(OWN, "t0ken")
    assert 'listen: "127.0.0.1:4333"' in conf
    assert 'token: "t0ken"' in conf


def test_no_token_is_in_a_file_that_is_not_private() -> None:
    assert "t0ken" not in supervisord_conf(OWN)
