"""The stack's settings: defaults, and every problem of the environment at once."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from vr.errors import InvalidInput
from vr.up.config import Config, machine_problems


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    config = Config.from_env({})
    assert config.home == Path("/var/lib/velociraptor")
    assert config.root == Path("/apps")
    assert config.web_url == "http://127.0.0.1:8000"
    assert config.pool_url("shop") == "http://shop.localhost:8080/"


def test_every_problem_is_named_with_its_variable_in_one_error() -> None:
    with pytest.raises(InvalidInput) as caught:
        Config.from_env(
            {
                "VR_HOME": "relative",
                "VR_WEB_PORT": "eighty",
                "VR_HTTP_PORT": "70000",
                "VR_BIND": "example",
                "VR_PORT_RANGE": "6000-5000",
            }
        )
    for name in ("VR_HOME", "VR_WEB_PORT", "VR_HTTP_PORT", "VR_BIND", "VR_PORT_RANGE"):
        assert any(problem.startswith(name) for problem in caught.value.problems), name


def test_a_home_too_deep_for_a_socket_says_how_long_it_may_be() -> None:
    with pytest.raises(InvalidInput, match="at most 87 characters"):
        Config.from_env({"VR_HOME": "/" + "x" * 100})


def test_two_parts_cannot_share_a_port() -> None:
    with pytest.raises(InvalidInput, match="both 9000"):
        Config.from_env({"VR_WEB_PORT": "9000", "VR_HTTP_PORT": "9000"})


def test_links_to_a_stack_that_listens_everywhere_use_an_address_one_can_open() -> None:
    assert Config.from_env({"VR_BIND": "0.0.0.0"}).web_url == "http://127.0.0.1:8000"
    assert Config.from_env({"VR_BIND": "::1"}).web_url == "http://[::1]:8000"


def test_a_taken_port_is_named_with_the_variable_that_changes_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = replace(Config.from_env({}), web_port=port)
        [problem] = [p for p in machine_problems(config) if str(port) in p]
    assert "VR_WEB_PORT" in problem


def test_what_others_read_too_is_handed_on_as_given_but_no_secret_of_a_users_command() -> None:
    handed_on = {
        "VR_SITE_TITLE": "Ours",
        "VR_DATABASE_URL": "postgres://vr:s3cret@db/vr",
        "VR_PRIVATE_NETWORK": "10.9.0.0/24",
        "PIP_INDEX_URL": "https://index.example.org/simple",
    }
    own = {"VR_WEB_PORT": "8001", "VR_TOKEN": "s3cret", "HOME": "/root", "VR_BIND": "::1"}
    config = Config.from_env(handed_on | own)
    assert config.given == handed_on
    assert "s3cret" not in repr(config)
