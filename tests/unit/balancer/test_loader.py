"""From settings to balancers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from vr.balancer import loader
from vr.balancer.base import Balancer, Change
from vr.balancer.dummy import DummyBalancer
from vr.balancer.nginx.balancer import NginxBalancer
from vr.errors import InvalidInput, VelociraptorError
from vr.hosts.connect import ThisMachine, connect_from_settings
from vr.hosts.connection import HostConnection
from vr.paths import Root

# A backend as the manual has always taught to write one, down to its names.
TIGHT_ROPE = """
from vr.common.balancer import Balancer

ROPES = {}


class TightRopeBalancer(Balancer):
    def __init__(self, config):
        self.config = config

    def get_nodes(self, pool_name):
        return ROPES.get(pool_name, [])

    def add_nodes(self, pool_name, nodes):
        ROPES[pool_name] = ROPES.get(pool_name, []) + nodes

    def delete_nodes(self, pool_name, nodes):
        ROPES[pool_name] = [node for node in ROPES.get(pool_name, []) if node not in nodes]


class OfNothing:
    made = 0

    def __init__(self, config):
        type(self).made += 1
        self.config = config
        self.ropes = {}

    def get_nodes(self, pool_name):
        return self.ropes[pool_name]

    add_nodes = TightRopeBalancer.add_nodes
    delete_nodes = TightRopeBalancer.delete_nodes


class Walker(OfNothing):
    get_nodes = TightRopeBalancer.get_nodes


class HalfABalancer:
    def get_nodes(self, pool_name):
        return []


class HalfASubclass(Balancer):
    def get_nodes(self, pool_name):
        return []


class OneStep(TightRopeBalancer):
    def set_nodes(self, pool, nodes, *, backups=(), expected=None):
        ROPES[pool] = ["in one step"]
"""


def connect(name: str) -> HostConnection:
    here = ThisMachine("web1", Root(Path("/apps")), "unix:///none", Path("/usr/bin"))
    return connect_from_settings(name, here)


def load(name: str, settings: Mapping[str, Mapping[str, Any]]) -> Balancer:
    return loader.load(name, settings, connect)


@pytest.fixture
def tight_rope(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """A module of users', found as theirs are."""
    package = tmp_path / "mythical"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "tightrope.py").write_text(TIGHT_ROPE)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("mythical", "mythical.tightrope"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    load("x", {"x": {"BACKEND": "mythical.tightrope.Walker"}})
    return sys.modules["mythical.tightrope"]


@pytest.mark.parametrize("name", ["TightRopeBalancer", "Walker"])
def test_a_class_of_others_with_three_methods_is_a_balancer(
    tight_rope: ModuleType, name: str
) -> None:
    config = {"user": "some_user", "hosts": ["tightrope.mydomain.com"]}
    balancer = load("x", {"x": {"BACKEND": f"mythical.tightrope.{name}", **config}})
    assert balancer.config == config
    assert balancer.get_nodes("shop") == []
    assert balancer.set_nodes("shop", ["b:1", "a:1"]) == Change((), ("a:1", "b:1"))
    assert balancer.set_nodes("shop", ["b:1", "c:1"]).removed == ("a:1",)
    assert balancer.get_nodes("shop") == ["b:1", "c:1"]
    balancer.delete_pool("shop")
    assert balancer.get_nodes("shop") == []
    assert balancer.wait_drained(0)
    assert balancer.address("shop") == ""


def test_it_is_made_once_and_not_before_it_is_needed(tight_rope: ModuleType) -> None:
    balancer = load("x", {"x": {"BACKEND": "mythical.tightrope.Walker"}})
    balancer.address("shop")
    assert tight_rope.Walker.made == 0
    balancer.get_nodes("shop")
    balancer.get_nodes("shop")
    assert tight_rope.Walker.made == 1


@pytest.mark.usefixtures("tight_rope")
def test_what_it_raises_is_told_as_its_own() -> None:
    balancer = load("x", {"x": {"BACKEND": "mythical.tightrope.OfNothing"}})
    with pytest.raises(VelociraptorError) as error:
        balancer.get_nodes("shop")
    assert "OfNothing failed in get_nodes of the pool 'shop': 'shop'" in error.value.message
    assert "KeyError" in error.value.details


@pytest.mark.usefixtures("tight_rope")
@pytest.mark.parametrize("name", ["HalfABalancer", "HalfASubclass"])
def test_a_class_without_the_methods_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="is no balancer, as it has no add_nodes, delete_nodes"):
        load("x", {"x": {"BACKEND": f"mythical.tightrope.{name}"}})


@pytest.mark.usefixtures("tight_rope")
def test_a_subclass_that_can_do_more_is_let_do_it() -> None:
    balancer = load("x", {"x": {"BACKEND": "mythical.tightrope.OneStep"}})
    balancer.set_nodes("shop", ["a:1"])
    assert balancer.get_nodes("shop") == ["in one step"]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "web1"])
def test_localhost_is_this_machine_whatever_it_is_called(name: str) -> None:
    nginx = {"BACKEND": "vr.balancer.nginx.NginxBalancer", "hosts": [name]}
    balancer = load("x", {"x": nginx})
    assert isinstance(balancer, NginxBalancer)
    assert [host.name for host in balancer._hosts] == ["web1"]


def test_one_machine_by_two_names_is_one() -> None:
    nginx = {"BACKEND": "vr.balancer.nginx.NginxBalancer", "hosts": ["localhost", "web1"]}
    balancer = load("x", {"x": nginx})
    assert isinstance(balancer, NginxBalancer)
    assert len(balancer._hosts) == 1


def test_machines_that_cannot_be_reached_are_all_named() -> None:
    hosts = ["localhost", "frontend1.example.com", "frontend2.example.com"]
    with pytest.raises(InvalidInput) as error:
        load("x", {"x": {"BACKEND": "vr.balancer.nginx.NginxBalancer", "hosts": hosts}})
    assert len(error.value.problems) == 2
    assert "frontend2.example.com is another machine" in error.value.problems[1]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("vr.balancer.dummy.DummyBalancer", DummyBalancer),
        ("vr.common.balancer.dummy.DummyBalancer", DummyBalancer),
        ("vr.server.balancer.nginx.NginxBalancer", NginxBalancer),
    ],
)
def test_backends_load_by_their_present_and_former_paths(path: str, expected: type) -> None:
    assert isinstance(load("x", {"x": {"BACKEND": path}}), expected)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"one": {}, "two": {}}, "there is no balancer 'x'; known: one, two"),
        ({}, "known: none is set up"),
        ({"x": {}}, "BACKEND: is None, expected a class such as"),
        ({"x": {"BACKEND": "vr.balancer.none.Such"}}, "vr.balancer.none.Such can't be loaded"),
        ({"x": {"BACKEND": "vr.errors.Busy"}}, "vr.errors.Busy is no balancer, as it has no"),
        ({"x": {"BACKEND": "vr.errors.explain"}}, "vr.errors.explain is no class"),
        (
            {"x": {"BACKEND": "vr.balancer.nginx.NginxBalancer", "hosts": "localhost"}},
            "hosts: is 'localhost', expected a list of host names",
        ),
    ],
)
def test_what_is_wrong_is_told_with_the_choices(settings: dict, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        load("x", settings)
    assert said in str(error.value)
