"""What every balancer does, whoever wrote it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vr.balancer.base import Balancer, Change, PoolChanged, check_names
from vr.balancer.dummy import DummyBalancer
from vr.errors import InvalidInput


class TightRope(Balancer):
    """A backend as the documentation teaches to write one: three methods."""

    def __init__(self) -> None:
        super().__init__({})
        self.pools: dict[str, set[str]] = {}
        self.calls: list[str] = []

    def get_nodes(self, pool: str) -> list[str]:
        return sorted(self.pools.get(pool, ()))

    def add_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        self.calls.append("add")
        self.pools.setdefault(pool, set()).update(nodes)

    def delete_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        self.calls.append("delete")
        self.pools.get(pool, set()).difference_update(nodes)


@pytest.fixture(params=[TightRope, DummyBalancer])
def balancer(request: pytest.FixtureRequest) -> Balancer:
    made: Balancer = request.param()
    return made


def test_an_unknown_pool_has_no_nodes(balancer: Balancer) -> None:
    assert balancer.get_nodes("shop") == []


def test_set_nodes_makes_the_pool_exactly_that_and_tells_what_changed(balancer: Balancer) -> None:
    balancer.add_nodes("shop", ["a:1", "a:2"])
    change = balancer.set_nodes("shop", ["a:2", "a:3"])
    assert balancer.get_nodes("shop") == ["a:2", "a:3"]
    assert change == Change(("a:1", "a:2"), ("a:2", "a:3"))
    assert (change.added, change.removed) == (("a:3",), ("a:1",))


def test_new_nodes_are_added_before_old_ones_go() -> None:
    rope = TightRope()
    rope.set_nodes("shop", ["a:1"])
    rope.set_nodes("shop", ["a:2"])
    assert rope.calls == ["add", "add", "delete"]


def test_a_pool_that_is_not_as_expected_is_left_alone(balancer: Balancer) -> None:
    balancer.add_nodes("shop", ["a:1"])
    with pytest.raises(PoolChanged, match="holds a:1, but b:1 were expected"):
        balancer.set_nodes("shop", ["c:1"], expected=["b:1"])
    assert balancer.get_nodes("shop") == ["a:1"]


def test_deleting_what_is_not_there_is_fine(balancer: Balancer) -> None:
    balancer.delete_nodes("none", ["a:1"])
    balancer.delete_pool("none")
    balancer.delete_pool_if_empty("none")
    assert balancer.get_nodes("none") == []


@pytest.mark.parametrize("pool", ["", "a b", "../x", "x;", "-x", "x{"])
def test_pools_that_could_break_a_configuration_are_refused(pool: str) -> None:
    with pytest.raises(InvalidInput, match="pool:"):
        check_names(pool)


@pytest.mark.parametrize("node", ["a", "a:x", "a:1;", "a b:1", "a:1\n", "a:123456"])
def test_nodes_that_could_break_a_configuration_are_refused(node: str) -> None:
    with pytest.raises(InvalidInput, match="node:"):
        check_names("shop", [node])


def test_nodes_may_be_names_and_addresses() -> None:
    check_names("my_app-2", ["host3.my-squad.example.com:5010", "10.0.0.1:1", "[::1]:80"])
