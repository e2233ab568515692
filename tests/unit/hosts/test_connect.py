"""From names to connections."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from vr.hosts.connect import NotThisMachine, ThisMachine, connect, connect_from_settings
from vr.paths import Root


def machine(name: str) -> ThisMachine:
    return ThisMachine(name, Root(Path("/apps")), "unix:///none", Path("/opt/vr/bin"))


def test_a_machine_with_a_name_is_the_host_of_that_name_only() -> None:
    assert connect("web1", machine("web1")).name == "web1"
    for other in ("localhost", "web2", socket.gethostname()):
        with pytest.raises(NotThisMachine, match=f"{other} is another machine"):
            connect(other, machine("web1"))


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", socket.gethostname()])
def test_a_machine_without_a_name_is_what_it_calls_itself(name: str) -> None:
    assert connect(name, machine("")).name == name
    with pytest.raises(NotThisMachine):
        connect("web2.example.com", machine(""))


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", socket.gethostname(), "web1"])
def test_settings_may_say_localhost_whatever_the_machine_is_called(name: str) -> None:
    assert connect_from_settings(name, machine("web1")).name == "web1"


def test_settings_may_name_another_machine_which_needs_ssh() -> None:
    with pytest.raises(NotThisMachine):
        connect_from_settings("frontend1", machine("web1"))
    assert connect_from_settings("localhost", machine("")).name == "localhost"
