"""What leaves a pool that drifted, and what is missing there."""

from __future__ import annotations

from hypothesis import given, strategies

from vr.server.caretaking.drifting import Drift, Member, drift, left_without

NODES = ("a:1", "a:2", "b:1", "b:2", "c:1", "x:9")
members = strategies.lists(
    strategies.builds(
        Member, strategies.sampled_from(NODES[:-1]), strategies.booleans(), strategies.booleans()
    ),
    unique_by=lambda member: member.node,
)
pools = strategies.frozensets(strategies.sampled_from(NODES))


def well(node: str) -> Member:
    return Member(node, is_well=True, is_silent=False)


def test_lost_and_strange_nodes_go_and_missing_ones_are_named() -> None:
    found = drift(
        frozenset({"a:1", "b:1", "x:9"}), [well("a:1"), Member("b:1", True, True), well("c:1")]
    )
    assert found == Drift(
        strange=frozenset({"x:9"}), lost=frozenset({"b:1"}), missing=frozenset({"c:1"})
    )
    nodes = frozenset({"a:1", "b:1", "x:9"})
    assert left_without(nodes, found, lambda node: node == "a:1") == {"a:1"}


def test_what_is_not_well_or_of_a_silent_host_is_not_missed() -> None:
    found = drift(
        frozenset({"a:1"}), [well("a:1"), Member("b:1", True, True), Member("c:1", False, False)]
    )
    assert found == Drift()


def test_a_pool_that_is_right_stays_and_nobody_is_asked() -> None:
    def ask(node: str) -> bool:
        raise AssertionError(node)

    nodes = frozenset({"a:1", "b:1"})
    assert left_without(nodes, drift(nodes, [well("a:1"), well("b:1")]), ask) is None


@given(pools, members, pools)
def test_no_pool_is_emptied_and_no_well_node_of_a_host_that_speaks_goes(
    nodes: frozenset[str], known: list[Member], taking: frozenset[str]
) -> None:
    found = drift(nodes, known)
    left = left_without(nodes, found, lambda node: node in taking)
    if left is not None:
        assert left < nodes
        assert left & taking, "what takes requests stays"
    here = {one.node for one in known if one.is_well and not one.is_silent}
    assert nodes & here <= (nodes if left is None else left)
    assert found.missing == here - nodes
    assert not found.missing & (found.lost | found.strange)
