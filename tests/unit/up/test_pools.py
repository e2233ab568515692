"""Pools listen where nginx does, whenever they were written."""

from __future__ import annotations

from vr.balancer.nginx.pool_file import Site, parse, render
from vr.up.pools import moved_to

NODES = ["127.0.0.1:5000", "127.0.0.1:5001"]


def test_a_pool_that_moves_is_as_if_it_had_been_written_for_the_new_address() -> None:
    former, new = Site("127.0.0.1:8080", "localhost"), Site("[::]:80", "localhost")
    moved = moved_to("[::]:80", render("shop", NODES, former))
    assert moved == render("shop", NODES, new)
    assert moved_to("[::]:80", moved) == moved


def test_a_pool_without_a_server_stays_as_it_is() -> None:
    text = render("shop", NODES)
    assert moved_to("[::]:80", text) == text
    assert parse("shop", text) == NODES
