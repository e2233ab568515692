"""A change of a pool on several machines: on all of them, or on none, or told where."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import pytest

from vr.balancer.base import Change, PoolChanged
from vr.balancer.several_hosts import HostsBalancer
from vr.errors import InvalidInput, VelociraptorError
from vr.specs.passing import Passing


class Machine:
    """A PoolHost in memory, which refuses what contains `refused` or, when `stuck`, all."""

    def __init__(self, name: str, refused: str = "none") -> None:
        self.name = name
        self.refused = refused
        self.stuck_after = 1000
        self.pools: dict[str, list[str]] = {}
        self.spare: dict[str, list[str]] = {}
        self.passed_on: dict[str, Passing] = {}
        self.drains = True
        self.locked = threading.Lock()

    @contextmanager
    def lock(self, pool: str) -> Iterator[None]:
        assert self.locked.acquire(blocking=False), f"{self.name} is locked already"
        try:
            yield
        finally:
            self.locked.release()

    def nodes(self, pool: str) -> list[str]:
        return self.pools.get(pool, [])

    def backups(self, pool: str) -> list[str]:
        return self.spare.get(pool, [])

    def passing(self, pool: str) -> Passing:
        return self.passed_on.get(pool, Passing())

    def put(
        self,
        pool: str,
        nodes: Collection[str],
        backups: Collection[str] = (),
        passing: Passing | None = None,
    ) -> None:
        assert self.locked.locked()
        self.stuck_after -= 1
        if self.refused in nodes or self.stuck_after < 0:
            raise VelociraptorError(f"{self.name} refuses.", hint="Mend it.", details="its words")
        self.pools[pool] = sorted(set(nodes))
        self.spare[pool] = sorted(set(backups))
        if passing is not None:
            self.passed_on[pool] = passing

    def wait_drained(self, timeout: float) -> bool:
        return self.drains


def test_all_machines_get_the_pool() -> None:
    one, two = Machine("one"), Machine("two")
    balancer = HostsBalancer({}, [two, one])
    assert balancer.set_nodes("shop", ["b:1", "a:1"]) == Change((), ("a:1", "b:1"))
    balancer.add_nodes("shop", ["c:1"])
    balancer.delete_nodes("shop", ["a:1", "never:1"])
    assert one.pools == two.pools == {"shop": ["b:1", "c:1"]}
    assert balancer.nodes_by_host("shop") == {"one": ["b:1", "c:1"], "two": ["b:1", "c:1"]}


def test_what_one_machine_refuses_none_has() -> None:
    one, two, three = Machine("one"), Machine("two", refused="bad:1"), Machine("three")
    balancer = HostsBalancer({}, [one, two, three])
    balancer.set_nodes("shop", ["a:1"])
    with pytest.raises(VelociraptorError, match=r"^two refuses\. Mend it\.$"):
        balancer.set_nodes("shop", ["bad:1"])
    assert one.pools == two.pools == three.pools == {"shop": ["a:1"]}
    assert not (one.locked.locked() or two.locked.locked())


def test_how_requests_are_passed_on_is_brought_back_too() -> None:
    one, two = Machine("one"), Machine("two", refused="bad:1")
    balancer = HostsBalancer({}, [one, two])
    slow = Passing(read_timeout=90)
    balancer.set_nodes("shop", ["a:1"], passing=slow)
    balancer.add_nodes("shop", ["b:1"])
    with pytest.raises(VelociraptorError):
        balancer.set_nodes("shop", ["bad:1"], passing=Passing())
    assert one.passed_on == two.passed_on == {"shop": slow}


def test_a_machine_that_cannot_be_brought_back_is_named() -> None:
    one, two = Machine("one"), Machine("two", refused="bad:1")
    balancer = HostsBalancer({}, [one, two])
    balancer.set_nodes("shop", ["a:1"])
    one.stuck_after = 1
    with pytest.raises(VelociraptorError) as error:
        balancer.set_nodes("shop", ["bad:1"])
    assert "two refuses. one had the change by then" in error.value.message
    assert (error.value.hint, error.value.details) == ("Mend it.", "its words")
    # A node that any machine routes to is in use.
    assert balancer.get_nodes("shop") == ["a:1", "bad:1"]


def test_machines_that_differ_are_brought_together_by_the_next_change() -> None:
    one, two = Machine("one"), Machine("two")
    one.pools["shop"] = ["a:1"]
    balancer = HostsBalancer({}, [one, two])
    balancer.set_nodes("shop", ["a:1"])
    assert two.pools["shop"] == ["a:1"]


def test_a_pool_that_is_not_as_expected_is_left_alone() -> None:
    one = Machine("one")
    balancer = HostsBalancer({}, [one])
    balancer.set_nodes("shop", ["a:1"])
    with pytest.raises(PoolChanged):
        balancer.set_nodes("shop", ["b:1"], expected=[])
    assert one.pools["shop"] == ["a:1"]


def test_odd_names_reach_no_machine() -> None:
    one = Machine("one")
    balancer = HostsBalancer({}, [one])
    for pool, node in (("../etc", "a:1"), ("shop", "a:1;")):
        with pytest.raises(InvalidInput):
            balancer.set_nodes(pool, [node])
    assert one.pools == {}


def test_old_requests_have_ended_when_they_have_everywhere() -> None:
    one, two = Machine("one"), Machine("two")
    balancer = HostsBalancer({}, [one, two])
    assert balancer.wait_drained(1)
    one.drains = False
    assert not balancer.wait_drained(1)


def test_backups_are_no_nodes_and_come_back_when_a_machine_refuses() -> None:
    one, two = Machine("one"), Machine("two", refused="bad:1")
    balancer = HostsBalancer({}, [one, two])
    balancer.set_nodes("shop", ["new:1"], backups=["old:1", "new:1"])
    assert balancer.get_nodes("shop") == ["new:1"]
    assert balancer.get_backups("shop") == ["old:1"]
    with pytest.raises(VelociraptorError):
        balancer.set_nodes("shop", ["bad:1"])
    assert one.spare == two.spare == {"shop": ["old:1"]}
    balancer.set_nodes("shop", ["new:1"])
    assert balancer.get_backups("shop") == []
