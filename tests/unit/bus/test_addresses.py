"""Given addresses, and the own one."""

from __future__ import annotations

import pytest

from vr.bus.addresses import given_nats_uri, http_uri_problem, nats_uri_problem, own_address


@pytest.mark.parametrize("uri", ["nats://bus", "tls://user:secret@bus:4222"])
def test_addresses_of_a_bus_are_taken(uri: str) -> None:
    assert nats_uri_problem(uri) is None


@pytest.mark.parametrize("uri", ["http://bus", "nats://", "nats://bus:0", "nats://bus:x", "bus"])
def test_others_are_told_what_is_expected(uri: str) -> None:
    assert nats_uri_problem(uri) is not None


def test_an_address_to_fetch_from_is_http() -> None:
    assert http_uri_problem("https://user:secret@host/app.zip") is None
    assert "http://" in str(http_uri_problem("file:///etc/passwd"))


def test_without_a_route_the_own_address_is_loopback() -> None:
    assert own_address("") == own_address("no address") == own_address("127.0.0.1") == "127.0.0.1"


def test_commands_find_the_bus_on_this_machine_unless_told() -> None:
    assert given_nats_uri({}) == given_nats_uri({"NATS_URI": ""}) == "nats://127.0.0.1:4222"
    assert given_nats_uri({"NATS_URI": "nats://bus:4222"}) == "nats://bus:4222"
