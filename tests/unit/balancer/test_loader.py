"""From settings to balancers."""

from __future__ import annotations

import pytest

from vr.balancer import loader
from vr.balancer.dummy import DummyBalancer
from vr.balancer.nginx.balancer import NginxBalancer
from vr.errors import InvalidInput


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("vr.balancer.dummy.DummyBalancer", DummyBalancer),
        ("vr.common.balancer.dummy.DummyBalancer", DummyBalancer),
        ("vr.server.balancer.nginx.NginxBalancer", NginxBalancer),
    ],
)
def test_backends_load_by_their_present_and_former_paths(path: str, expected: type) -> None:
    assert isinstance(loader.load("x", {"x": {"BACKEND": path}}), expected)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"one": {}, "two": {}}, "there is no balancer 'x'; known: one, two"),
        ({}, "known: none is set up"),
        ({"x": {}}, "BACKEND: is None, expected a class such as"),
        ({"x": {"BACKEND": "vr.balancer.none.Such"}}, "vr.balancer.none.Such can't be loaded"),
        ({"x": {"BACKEND": "vr.errors.Busy"}}, "vr.errors.Busy is not a Balancer"),
    ],
)
def test_what_is_wrong_is_told_with_the_choices(settings: dict, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        loader.load("x", settings)
    assert said in str(error.value)
