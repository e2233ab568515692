"""Which addresses may be told of anything."""

from __future__ import annotations

import pytest

from vr.server.notices.networks import is_permitted


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_the_servers_own_networks_are_closed(address: str) -> None:
    assert not is_permitted(address, [])


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_the_internet_is_open(address: str) -> None:
    assert is_permitted(address, [])


def test_settings_open_networks() -> None:
    assert is_permitted("10.1.2.3", ["10.0.0.0/8"])
    assert is_permitted("::ffff:10.1.2.3", ["10.0.0.0/8"])
    assert not is_permitted("10.1.2.3", ["10.2.0.0/16", "fd00::/8"])
    assert is_permitted("fd00::5", ["10.2.0.0/16", "fd00::/8"])
