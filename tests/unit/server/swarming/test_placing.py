"""Where new procs go."""

from __future__ import annotations

from collections import Counter

import pytest

from vr.server.swarming.placing import NoRoom, place
from vr.server.swarming.plan_types import Node, SeenHost

PORTS = range(5000, 5004)


def host(name: str, *, total: int = 0, taken: frozenset[int] = frozenset(), **more: bool):
    return SeenHost(name, **{"answers": True, **more}, total=total, taken_ports=taken)


def test_hosts_take_turns() -> None:
    nodes = place(3, [host("a"), host("b")], Counter(), PORTS)
    assert nodes == (Node("a", 5000), Node("b", 5000), Node("a", 5001))


def test_the_host_with_the_fewest_procs_of_the_swarm_comes_first() -> None:
    nodes = place(1, [host("a"), host("b", total=90)], Counter(a=1), PORTS)
    assert nodes == (Node("b", 5000),)


def test_among_equals_the_host_with_the_fewest_procs_of_all_comes_first() -> None:
    assert place(1, [host("a", total=5), host("b")], Counter(), PORTS)[0].host == "b"


def test_procs_of_the_swarm_are_spread_though_one_host_has_fewer_of_all() -> None:
    nodes = place(3, [host("a"), host("b", total=5)], Counter(), PORTS)
    assert [node.host for node in nodes] == ["a", "b", "a"]
    nodes = place(2, [host("a", total=9), host("b")], Counter(a=1), PORTS)
    assert [node.host for node in nodes] == ["b", "b"]


def test_what_was_just_placed_counts_for_its_host() -> None:
    nodes = place(2, [host("a"), host("b")], Counter(b=1), PORTS)
    assert [node.host for node in nodes] == ["a", "b"]
    nodes = place(2, [host("a"), host("b", total=1)], Counter(b=1), PORTS)
    assert [node.host for node in nodes] == ["a", "a"]


def test_taken_ports_are_skipped() -> None:
    nodes = place(1, [host("a", taken=frozenset({5000, 5001}))], Counter(), PORTS)
    assert nodes == (Node("a", 5002),)


def test_the_search_begins_anywhere_and_goes_around() -> None:
    nodes = place(3, [host("a")], Counter(), PORTS, first_port=5002)
    assert [node.port for node in nodes] == [5002, 5003, 5000]


def test_a_host_without_ports_is_passed_over() -> None:
    full = host("a", taken=frozenset(PORTS))
    assert {node.host for node in place(3, [full, host("b")], Counter(), PORTS)} == {"b"}


def test_used_up_ports_are_told_with_hosts_and_range() -> None:
    with pytest.raises(NoRoom) as caught:
        place(9, [host("b"), host("a")], Counter(), PORTS)
    told = "All ports from 5000 to 5003 are taken on a, b; 9 were needed."
    assert (str(caught.value), caught.value.reason) == (told, told)


def test_inactive_and_silent_hosts_are_never_chosen() -> None:
    hosts = [host("a", active=False), host("b", answers=False), host("c", total=99)]
    hosts.append(host("d", draining=True))
    assert {node.host for node in place(4, hosts, Counter(), PORTS)} == {"c"}


def test_a_squad_without_active_hosts_is_told() -> None:
    hosts = [host("a", active=False)]
    with pytest.raises(NoRoom, match=r"^The squad red has no active host.$"):
        place(1, hosts, Counter(), PORTS, squad="the squad red")
    with pytest.raises(NoRoom, match=r"^The squad has no active host.$"):
        place(1, hosts, Counter(), PORTS)


def test_active_hosts_that_do_not_answer_are_all_told() -> None:
    silent = [SeenHost(name, answers=False, problem=why) for name, why in [("b", ""), ("a", "off")]]
    with pytest.raises(NoRoom, match=r"^No active host of the squad answers: a \(off\); b.$"):
        place(1, silent, Counter(), PORTS)
    with pytest.raises(NoRoom, match=r"answers: c.$"):
        place(1, [SeenHost("c", answers=False)], Counter(), PORTS)


def test_hosts_whose_disk_is_nearly_full_get_no_new_procs() -> None:
    full = host("a", is_full=True)
    assert {node.host for node in place(3, [full, host("b")], Counter(), PORTS)} == {"b"}
    with pytest.raises(NoRoom, match=r"disk of each host of the squad .* nearly full: a\.") as no:
        place(1, [full, host("c", answers=False)], Counter(), PORTS)
    assert "vrun gc" in no.value.hint


def test_all_hosts_that_get_none_are_named_and_what_to_do() -> None:
    drained = [host("b", draining=True), host("a", draining=True)]
    with pytest.raises(NoRoom, match=r"are being drained: a, b\.") as no:
        place(1, drained, Counter(), PORTS)
    assert no.value.hint == "Add another host, or end it: vr hosts undrain a"
    full = [host("b", is_full=True), host("a", is_full=True)]
    with pytest.raises(NoRoom, match=r"nearly full: a, b\."):
        place(1, full, Counter(), PORTS)
